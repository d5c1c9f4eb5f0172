# getopt, and cmd's loop on standard input.
# args: -a --long=x rest
# stdin: "greet you\nunknown\nquit\n"
import cmd
import getopt
import sys

print(getopt.getopt(sys.argv[1:], "ab:", ["long="]))


class Shell(cmd.Cmd):
    use_rawinput = False
    prompt = "$ "

    def do_greet(self, line):
        print("hello", line)

    def do_quit(self, line):
        return True


Shell().cmdloop("welcome")
