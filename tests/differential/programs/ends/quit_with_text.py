# quit("text").
quit("bye ü")
