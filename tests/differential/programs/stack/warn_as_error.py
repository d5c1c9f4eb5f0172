# warnings.simplefilter("error").
import warnings

warnings.simplefilter("error")
warnings.warn("fatal", UserWarning)
