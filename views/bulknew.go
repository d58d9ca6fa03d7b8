package views

import (
	"context"

	"waveadmin/internal/wave"
)

// BulkNewProps is the form for the targets and the changes of a bulk change.
type BulkNewProps struct {
	Count      int          // targets
	Targets    []BulkTarget // the first of them
	Users      string       // their ids, a line each
	Paste      string       // more of them, to be looked up
	Unknown    []string     // of what was pasted, what names no account
	What       string       // flags, preset, copy, password or delete
	Groups     []BulkGroup
	Presets    []BulkOption
	Preset     string
	Copy       string
	Reason     string
	NeedReason bool
	Errors     map[string]string
	Failure    *FailureProps
}

// BulkTarget is an account to be changed. Email is empty when there is none such.
type BulkTarget struct {
	ID    wave.UserID
	Email string
	Group string
}

// BulkGroup is a heading with its flags.
type BulkGroup struct {
	ID, Label string
	Flags     []BulkChoice
}

// BulkChoice is what is chosen for one flag: keep, on or off.
type BulkChoice struct {
	Key   wave.Key
	Label string
	Value string
	On    int // targets that have it on
}

// BulkOption is a preset to choose.
type BulkOption struct {
	Value, Label string
	Count        int // flags that it specifies
}

// labelled is a value of a form with the key of its label.
type labelled struct{ value, label string }

var bulkWhats = []labelled{
	{"flags", "bulk.what_flags"},
	{"preset", "bulk.what_preset"},
	{"copy", "bulk.what_copy"},
	{"password", "bulk.what_password"},
	{"delete", "bulk.what_delete"},
}

var bulkValues = []labelled{{"keep", "bulk.keep"}, {"on", "bulk.on"}, {"off", "bulk.off"}}

// title marks a refused form, for who has many windows.
func (p BulkNewProps) title(ctx context.Context) string {
	if len(p.Errors) > 0 || p.Failure != nil {
		return t(ctx, "form.error_title", "title", t(ctx, "bulk.new"))
	}
	return t(ctx, "bulk.new")
}

// bulkAssets are what the pages of bulk changes need besides.
var bulkAssets = []string{"css/bulk.css"}
