package main

import (
	"context"
	"encoding/json"
	"log/slog"
	"os"

	"github.com/zitadel/oidc/v3/example/server/storage"
	"github.com/zitadel/oidc/v3/pkg/oidc"
	"github.com/zitadel/oidc/v3/pkg/op"
)

// person is an entry of the file of people.
type person struct {
	ID, Username, Password, FirstName, LastName, Email string
	Groups                                             []string
}

// people are read from the file each time, so that a test can change their groups
// while the provider runs.
type people struct{ file string }

func (p people) find(is func(person) bool) *person {
	text, err := os.ReadFile(p.file)
	var all []person
	if err == nil {
		err = json.Unmarshal(text, &all)
	}
	if err != nil {
		slog.Error("people", "err", err)
		return nil
	}
	for _, one := range all {
		if is(one) {
			return &one
		}
	}
	return nil
}

func (p people) user(is func(person) bool) *storage.User {
	one := p.find(is)
	if one == nil {
		return nil
	}
	return &storage.User{
		ID: one.ID, Username: one.Username, Password: one.Password, Email: one.Email, EmailVerified: true,
		FirstName: one.FirstName, LastName: one.LastName,
	}
}

func (p people) GetUserByID(id string) *storage.User {
	return p.user(func(one person) bool { return one.ID == id })
}

func (p people) GetUserByUsername(name string) *storage.User {
	return p.user(func(one person) bool { return one.Username == name })
}

func (p people) ExampleClientID() string { return "service" }

// store is the storage of the example, in memory, with groups and with an address
// to come back to after signing out.
type store struct {
	*storage.Storage
	people     people
	postLogout string
}

func newStore(s settings) *store {
	all := people{s.People}
	clients := map[string]*storage.Client{s.ClientID: storage.WebClient(s.ClientID, s.ClientSecret, s.RedirectURI)}
	return &store{storage.NewStorageWithClients(all, clients), all, s.PostLogoutURI}
}

func (s *store) GetClientByClientID(ctx context.Context, id string) (op.Client, error) {
	found, err := s.Storage.GetClientByClientID(ctx, id)
	if err != nil {
		return nil, err
	}
	return client{found, s.postLogout}, nil
}

func (s *store) SetUserinfoFromToken(ctx context.Context, info *oidc.UserInfo, tokenID, subject, origin string) error {
	if err := s.Storage.SetUserinfoFromToken(ctx, info, tokenID, subject, origin); err != nil {
		return err
	}
	if one := s.people.find(func(one person) bool { return one.ID == subject }); one != nil && one.Groups != nil {
		info.AppendClaims("groups", one.Groups)
	}
	return nil
}

type client struct {
	op.Client
	postLogout string
}

func (c client) PostLogoutRedirectURIs() []string { return []string{c.postLogout} }
