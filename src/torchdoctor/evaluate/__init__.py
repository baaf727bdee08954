"""How good a trained model is, how sure one can be of that, and where it fails."""
