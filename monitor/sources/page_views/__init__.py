"""Sources of the config section `page_views`: one file per kind."""
