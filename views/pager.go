package views

import (
	"context"

	"waveadmin/internal/i18n"
)

// pagerProps is where a person is in the pages of a table.
type pagerProps struct {
	Range       string // which rows these are, in words
	Page, Pages int
	Size        int // rows a page
	Sizes       []int
	URL         func(page int) string
	Top         string // what is scrolled to on another page: "window", or a selector
	Above       bool   // it stands above the table, beside other things
}

// rangeText says which rows of how many are on the page.
func rangeText(ctx context.Context, page, size, rows, total int) string {
	if total == 0 {
		return t(ctx, "list.none")
	}
	from := (page-1)*size + 1
	return t(ctx, "list.range", "from", i18n.Number(from), "to", i18n.Number(from+rows-1), "total", i18n.Number(total))
}
