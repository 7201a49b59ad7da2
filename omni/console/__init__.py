"""The console's own pages and the shell around every room's pages."""

from omni.console.shell import shell

__all__ = ["shell"]
