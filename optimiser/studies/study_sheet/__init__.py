"""The sheet `studies`: its rows, the inputs they name, and what is wrong with them."""
