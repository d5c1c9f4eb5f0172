# logging.config.dictConfig with a file and a stream.
import logging
import logging.config

logging.config.dictConfig({
    "version": 1,
    "formatters": {"short": {"format": "{levelname[0]} {name}: {message}", "style": "{"}},
    "handlers": {"out": {"class": "logging.StreamHandler", "formatter": "short", "stream": "ext://sys.stdout"},
                 "file": {"class": "logging.FileHandler", "formatter": "short", "filename": "app.log"}},
    "root": {"handlers": ["out", "file"], "level": "INFO"},
})
logging.getLogger("app").info("started")
logging.getLogger("app").debug("hidden")
print(open("app.log").read(), end="")
