# coding: cp1251 The lines of a traceback of a source in another encoding.
name = "Привет"
raise ValueError(name + "мир")
