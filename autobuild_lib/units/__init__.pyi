from . import corpus as corpus, effects as effects, reduced as reduced
