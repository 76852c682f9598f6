"""Excel in, Excel out, by reflection over the columns of the row types."""
