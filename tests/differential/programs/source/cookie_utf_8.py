# -*- coding: utf-8 -*- The declaration that needs no saying.
print("é", __file__.rpartition("/")[2])
