package views

// Section is a place in the navigation.
type Section string

const (
	NoSection        Section = ""
	OverviewSection  Section = "overview"
	ResellersSection Section = "resellers"
	NewSection       Section = "new"
	MatrixSection    Section = "matrix"
	PresetsSection   Section = "presets"
	BulkSection      Section = "bulk"
	ChangesSection   Section = "changes"
)

// place is a screen that one can go to without knowing more.
type place struct {
	section          Section
	url, icon, label string // the label as a key of the catalogues
	write            bool   // only for who may change accounts
}

// navigation is the menu of every page, in its order.
var navigation = []place{
	{OverviewSection, HomeURL, "layout-dashboard", "overview.title", false},
	{ResellersSection, ResellersURL, "users", "nav.resellers", false},
	{NewSection, NewURL, "user-plus", "nav.new", true},
	{MatrixSection, MatrixURL, "table-2", "matrix.title", false},
	{PresetsSection, PresetsURL, "layers", "preset.title", false},
	{BulkSection, BulkListURL, "list-checks", "bulk.list", false},
	{ChangesSection, ChangesURL, "history", "changes.title", false},
}

// further are the screens that the search over the whole tool knows besides.
var further = []place{
	{ResellersSection, CompareURL("", ""), "arrow-left-right", "compare.title", false},
	{NewSection, ImportURL, "user-plus", "import.title", true},
	{PresetsSection, PresetNewURL, "layers", "preset.new", true},
	{BulkSection, BulkNewURL, "list-checks", "bulk.new", true},
}
