package views

// PresenceProps is who else is editing an account while its page is open.
type PresenceProps struct {
	URL  string // where the page says that it is open, and asks again
	Text string // who else is editing, or empty
}
