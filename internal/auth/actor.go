// Package auth says who is asking: sign-in through an OpenID provider, sessions,
// roles, and the Actor that every other package sees.
package auth

import "context"

// Role is what an actor may do. A higher role includes the lower ones.
type Role uint8

const (
	NoRole Role = iota // signed in, but in no group that the settings name
	Viewer             // may read everything (the API's ReadReseller)
	Editor             // may change everything (the API's ModifyReseller)
)

func (r Role) String() string { return [...]string{"none", "viewer", "editor"}[r] }

// roleNamed is the reverse of Role.String. What it does not know is NoRole.
func roleNamed(name string) Role {
	for _, role := range []Role{Viewer, Editor} {
		if role.String() == name {
			return role
		}
	}
	return NoRole
}

// An Actor is a person who signed in. Issuer and Subject together are the
// identity; Name and Email are for the eye and may change.
type Actor struct {
	Issuer  string
	Subject string
	Name    string
	Email   string
	Role    Role
}

// MayRead reports whether the actor may see accounts.
func (a Actor) MayRead() bool { return a.Role >= Viewer }

// MayModify reports whether the actor may change accounts.
func (a Actor) MayModify() bool { return a.Role >= Editor }

// Display returns what the actor is called on screen: the name, else the email,
// else the subject.
func (a Actor) Display() string {
	switch {
	case a.Name != "":
		return a.Name
	case a.Email != "":
		return a.Email
	}
	return a.Subject
}

type actorKey struct{}

// WithActor returns a context in which actor is the one who asks.
func WithActor(ctx context.Context, actor Actor) context.Context {
	return context.WithValue(ctx, actorKey{}, actor)
}

// ActorFrom returns the actor of ctx, or the zero Actor, who may do nothing.
func ActorFrom(ctx context.Context) Actor {
	actor, _ := ctx.Value(actorKey{}).(Actor)
	return actor
}
