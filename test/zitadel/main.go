// Command zitadel serves the OpenID provider library of Zitadel with its example
// pages, for one client and the people of a file. It is for tests on loopback: the
// keys are made at the start, and passwords stand in the file.
//
// Groups are told at userinfo only, never in the ID token.
package main

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"time"

	"github.com/zitadel/oidc/v3/example/server/exampleop"
)

// settings are the content of the file that the only argument names.
type settings struct {
	Listen        string
	Issuer        string
	ClientID      string
	ClientSecret  string
	RedirectURI   string
	PostLogoutURI string
	People        string // file with the people, read anew for each question
}

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run() error {
	if len(os.Args) != 2 {
		return fmt.Errorf("usage: zitadel SETTINGS.json")
	}
	text, err := os.ReadFile(os.Args[1])
	if err != nil {
		return err
	}
	var s settings
	if err := json.Unmarshal(text, &s); err != nil {
		return fmt.Errorf("%s: %w", os.Args[1], err)
	}
	log := slog.New(slog.NewTextHandler(os.Stderr, nil))
	srv := &http.Server{
		Addr:              s.Listen,
		Handler:           exampleop.SetupServer(s.Issuer, newStore(s), log, false),
		ReadHeaderTimeout: 5 * time.Second,
	}
	return srv.ListenAndServe()
}
