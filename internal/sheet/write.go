package sheet

import (
	"encoding/csv"
	"io"
)

// A Writer writes a table for spreadsheets: UTF-8 with its mark in front, lines that
// end with CR LF, and no cell that a spreadsheet takes for a formula.
type Writer struct{ w *csv.Writer }

// NewWriter begins a table in w.
func NewWriter(w io.Writer) (Writer, error) {
	if _, err := io.WriteString(w, mark); err != nil {
		return Writer{}, err
	}
	out := Writer{csv.NewWriter(w)}
	out.w.UseCRLF = true
	return out, nil
}

// Row writes one line, which may stay in a buffer until Flush.
func (w Writer) Row(cells ...string) error {
	guarded := make([]string, len(cells))
	for i, cell := range cells {
		guarded[i] = guard(cell)
	}
	return w.w.Write(guarded)
}

// Flush writes what is in the buffer.
func (w Writer) Flush() error {
	w.w.Flush()
	return w.w.Error()
}

// The row of the template that shows how one looks. Nobody has an account with that
// address, so a row with it was forgotten.
const (
	exampleEmail   = "taro.yamada@example.com"
	exampleCompany = "123456"
)

// WriteTemplate writes the file to fill in: its head in lang, with keys, and an
// example. With all it has a column for each function, which may stay blank.
func WriteTemplate(w io.Writer, names Names, lang string, all bool) error {
	out, err := NewWriter(w)
	if err != nil {
		return err
	}
	columns := names.all()
	if all {
		columns = append(columns, functions()...)
	}
	head, example := make([]string, len(columns)), make([]string, len(columns))
	for i, c := range columns {
		head[i] = c.name.In(lang) + " [" + c.key + "]"
		example[i] = map[string]string{Email: exampleEmail, CompanyID: exampleCompany, Notification: "on"}[c.key]
	}
	if err := out.Row(head...); err != nil {
		return err
	}
	if err := out.Row(example...); err != nil {
		return err
	}
	return out.Flush()
}
