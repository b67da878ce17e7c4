"""Everything that holds it together. A folder mirrors each folder of the product; the rest is named for its aim."""
