# eval(input()) and ast.literal_eval(input()).
# stdin: "2 + 3 * 4\n[1, 'two']\n1 +\n"
import ast

print(eval(input()))
print(ast.literal_eval(input()))
eval(input())
