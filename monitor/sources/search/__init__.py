"""Sources of the config section `search`: one file per kind."""
