"""Programs that nothing was fitted on; README.md has the rule."""
