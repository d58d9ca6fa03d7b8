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

// navigation is the menu of every page, in its order.
var navigation = []struct {
	section          Section
	url, icon, label string // the label as a key of the catalogues
	write            bool   // only for who may change accounts
}{
	{OverviewSection, HomeURL, "layout-dashboard", "overview.title", false},
	{ResellersSection, ResellersURL, "users", "nav.resellers", false},
	{NewSection, NewURL, "user-plus", "nav.new", true},
	{MatrixSection, MatrixURL, "table-2", "matrix.title", false},
	{PresetsSection, PresetsURL, "layers", "preset.title", false},
	{BulkSection, BulkListURL, "list-checks", "bulk.list", false},
	{ChangesSection, ChangesURL, "history", "changes.title", false},
}
