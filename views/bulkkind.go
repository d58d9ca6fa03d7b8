package views

import (
	"context"
)

// BulkKind is what a bulk change does to its accounts: flags, create, password or
// delete.
type BulkKind string

// bulkWords are the keys of what is said of a kind.
type bulkWords struct{ preview, run, do, sum, ended, about string }

var bulkKinds = map[BulkKind]bulkWords{
	"flags":    {"bulk.preview_title", "bulk.run_title", "bulk.run", "bulk.sum", "bulk.ended_well", ""},
	"create":   {"bulk.preview_create", "bulk.run_create", "bulk.do_create", "bulk.sum_create", "bulk.ended_create", ""},
	"password": {"bulk.preview_password", "bulk.run_password", "bulk.do_password", "bulk.sum_password", "bulk.ended_password", "bulk.about_password"},
	"delete":   {"bulk.preview_delete", "bulk.run_delete", "bulk.do_delete", "bulk.sum_delete", "bulk.ended_delete", "bulk.about_delete"},
}

func (k BulkKind) words() bulkWords {
	if w, ok := bulkKinds[k]; ok {
		return w
	}
	return bulkKinds["flags"]
}

// Title is the title of a run of that kind.
func (k BulkKind) Title(ctx context.Context) string { return t(ctx, k.words().run) }

// harms reports whether it does what no later change takes back.
func (k BulkKind) harms() bool { return k == "delete" || k == "password" }

// about says what a kind that harms does, or nothing.
func (k BulkKind) about(ctx context.Context) string {
	if key := k.words().about; key != "" {
		return t(ctx, key)
	}
	return ""
}

func (k BulkKind) button() string {
	if k == "delete" {
		return "btn danger"
	}
	return "btn primary"
}
