package providers

import (
	"maps"
	"slices"
	"sync"
)

// A person can sign in at every provider.
type person struct {
	ID, Username, Password, FirstName, LastName, Email string
	Groups                                             []string
}

func (p person) name() string { return p.FirstName + " " + p.LastName }

// Groups that give a role. Others look alike.
const (
	editors = "wave-editors"
	viewers = "wave-viewers"
)

// people is the directory of a company. It is safe for concurrent use.
type people struct {
	mu  sync.Mutex
	all map[string]person // by username
}

func newPeople() *people {
	p := &people{all: make(map[string]person)}
	for _, one := range []person{
		{"u-1001", "misaki", "correct horse 1", "Misaki", "Tanaka", "misaki.tanaka@example.co.jp", []string{"staff", editors}},
		{"u-1002", "sam", "correct horse 2", "Sam", "Carter", "sam.carter@example.co.jp", []string{viewers}},
		{"u-1003", "ken", "correct horse 3", "Ken", "Sato", "ken.sato@example.co.jp", []string{"staff", "Wave-Editors", "wave-editors-old"}},
		{"u-1004", "aoi", "correct horse 4", "Aoi", "Mori", "aoi.mori@example.co.jp", nil},
	} {
		p.all[one.Username] = one
	}
	return p
}

func (p *people) get(username string) (person, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	one, ok := p.all[username]
	return one, ok
}

func (p *people) list() []person {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Collect(maps.Values(p.all))
}

// move puts a person into these groups and no others.
func (p *people) move(username string, groups ...string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	one := p.all[username]
	one.Groups = groups
	p.all[username] = one
}
