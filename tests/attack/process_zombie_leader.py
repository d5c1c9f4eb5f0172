# attack: end the main thread alone, so that the process is a zombie that goes on running
# expect: timeout
# limits: --timeout 1
# bare: host
import threading

from hostile import armed, breach, call, finish, outwait


def stay():
    outwait()
    breach("a thread outlived the wall time")
    finish()


threading.Thread(target=stay).start()
armed("the main thread ends, the process does not")
call("exit", 0)
