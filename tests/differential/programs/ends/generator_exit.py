# GeneratorExit that nothing catches.
raise GeneratorExit
