"""An invented history, to try the pages and commands on before there is one of one's own. Nobody in it exists."""
