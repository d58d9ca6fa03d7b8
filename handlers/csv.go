package handlers

import (
	"encoding/csv"
	"io"
	"strings"
)

// A csvWriter writes a table for spreadsheets: UTF-8 with its mark in front, lines
// that end with CR LF, and no cell that a spreadsheet takes for a formula.
type csvWriter struct{ w *csv.Writer }

// newCSV begins a table in w.
func newCSV(w io.Writer) (csvWriter, error) {
	if _, err := io.WriteString(w, "\uFEFF"); err != nil {
		return csvWriter{}, err
	}
	out := csvWriter{csv.NewWriter(w)}
	out.w.UseCRLF = true
	return out, nil
}

// row writes one line, which may stay in a buffer until flush.
func (c csvWriter) row(cells ...string) error {
	guarded := make([]string, len(cells))
	for i, cell := range cells {
		guarded[i] = guard(cell)
	}
	return c.w.Write(guarded)
}

func (c csvWriter) flush() error {
	c.w.Flush()
	return c.w.Error()
}

// guard puts an apostrophe before what a spreadsheet would run: a text that begins
// with a sign of a formula, in full width too, or with what some programs skip
// before they look for one.
func guard(cell string) string {
	if strings.IndexAny(cell, "=+-@\t\r\n＝＋－＠") == 0 {
		return "'" + cell
	}
	return cell
}
