package change

// ListQuery is the query of List for the ids of a page, with its arguments.
func ListQuery(f Filter, limit int) (string, []any) { return f.page(limit) }
