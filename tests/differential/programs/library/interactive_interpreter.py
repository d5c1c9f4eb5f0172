# code.InteractiveInterpreter and InteractiveConsole.
import code

interpreter = code.InteractiveInterpreter({"x": 20})
print(interpreter.runsource("x + 1"), interpreter.runsource("if x:"))
interpreter.runsource("1 / 0")
interpreter.runsource("x +")
console = code.InteractiveConsole()
print(console.push("for i in range(2):"), console.push("    print(i)"), console.push(""))
