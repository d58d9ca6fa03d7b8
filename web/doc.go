// Package web is the HTTP surface: every route, the order of the middleware, and
// the one place where an error becomes a response.
package web
