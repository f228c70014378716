"""The panel's pages, one file a place in the side bar."""
