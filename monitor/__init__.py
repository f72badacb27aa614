"""Monitor: a self-hosted online presence monitor for one person."""

__version__ = "0.1.0"
