"""Why a model answers as it does: what its layers see, which inputs an answer hangs on, and whether to believe that."""
