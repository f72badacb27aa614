"""Sources of the config section `profiles`: one file per kind."""
