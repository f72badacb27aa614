"""Sources of the config section `contacts`: one file per kind."""
