# -*- coding: gbk -*- A coding declaration of Chinese.
print("你好", len("你好"))
