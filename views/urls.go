package views

import (
	"net/url"

	"waveadmin/internal/wave"
)

// This file is the only place that builds addresses of ours.

const (
	HomeURL       = "/"
	ResellersURL  = "/resellers"
	NewURL        = "/resellers/new"
	SignOutURL    = "/auth/logout"
	SignInURL     = "/auth/login"
	RefreshURL    = "/refresh"
	GroupsURL     = "/billing-groups"
	EmailCheckURL = "/resellers/check"
)

// AccountURL returns the page of an account, or that of one of its parts:
// details, history, password, delete; meta and undo take posts.
func AccountURL(id wave.UserID, part string) string {
	u := ResellersURL + "/" + url.PathEscape(string(id))
	if part != "" {
		u += "/" + part
	}
	return u
}

// UndoURL returns where an undo of a change is posted.
func UndoURL(id wave.UserID, changeID string) string {
	return AccountURL(id, "undo") + "?change=" + url.QueryEscape(changeID)
}

// ChangeStateURL returns the fragment that says where a change stands.
func ChangeStateURL(changeID string) string {
	return "/changes/" + url.PathEscape(changeID) + "/state"
}
