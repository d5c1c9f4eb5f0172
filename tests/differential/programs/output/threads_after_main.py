# Threads that print after the main thread has come to its end.
import threading

main_is_over = threading.Event()


def late(number):
    main_is_over.wait()
    with turns[number]:
        print("late", number)
    if number + 1 < len(turns):
        turns[number + 1].release()


turns = [threading.Semaphore(0) for _ in range(3)]
for each in range(3):
    threading.Thread(target=late, args=(each,)).start()
print("main ends")
turns[0].release()
main_is_over.set()
