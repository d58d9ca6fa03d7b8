package reseller

import (
	"context"
	"hash/maphash"
	"iter"
	"log/slog"
	"slices"
	"strings"
	"time"

	"waveadmin/internal/change"
	"waveadmin/internal/wave"
)

// Observer is the part of change.Ledger that Watcher needs; see there.
type Observer interface {
	Known(ctx context.Context, fn func(change.Seen)) (any bool, err error)
	Adopt(ctx context.Context, answered time.Time, all []change.Seen) error
	Observe(ctx context.Context, asked, answered time.Time, seen []change.Seen) (outside []change.Change, later []wave.UserID, err error)
}

// Watcher compares each list with the one before, and has the ledger record what
// was done outside this program. Between lists it keeps 24 bytes an account.
type Watcher struct {
	dir    *Directory
	ledger Observer
	log    *slog.Logger
	seed   maphash.Seed
	known  []mark               // by id; nil until the first list
	later  map[wave.UserID]bool // to be judged by the next list
}

// mark stands for an account as it was last seen.
type mark struct {
	id  wave.UserID
	sum uint64 // of what may change outside
}

// watchAgain is when a list that could not be judged is taken up again.
const watchAgain = 5 * time.Second

// NewWatcher returns a Watcher of dir. A nil log is the usual one.
func NewWatcher(dir *Directory, ledger Observer, log *slog.Logger) *Watcher {
	if log == nil {
		log = slog.Default()
	}
	return &Watcher{dir: dir, ledger: ledger, log: log, seed: maphash.MakeSeed(), later: make(map[wave.UserID]bool)}
}

// Run judges every list that dir reads until ctx ends; of several that come
// meanwhile, the newest. Call it once.
func (w *Watcher) Run(ctx context.Context) {
	for {
		var again <-chan time.Time
		if list := w.dir.listed.Load(); list != nil {
			if err := w.judge(ctx, list); err != nil && ctx.Err() == nil {
				w.log.Error("what was done outside could not be recorded", "err", err)
				again = time.After(watchAgain)
			}
		}
		select {
		case <-ctx.Done():
			return
		case <-w.dir.news:
		case <-again:
		}
	}
}

// judge has the ledger look at the accounts of list that are not as they were.
// What it could not judge is looked at again with the next list.
func (w *Watcher) judge(ctx context.Context, list *Snapshot) error {
	if w.known == nil {
		adopted, err := w.begin(ctx, list)
		if adopted || err != nil {
			return err
		}
	}
	marks := make([]mark, 0, list.Len())
	var differ []change.Seen
	for was, e := range w.pairs(list) {
		switch {
		case e == nil:
			differ = append(differ, change.Seen{Account: was.id, Gone: true})
			marks = append(marks, *was) // until it is judged
			continue
		case e.flaw != wave.NoFlaw:
			if was != nil {
				marks = append(marks, *was)
			}
			continue
		}
		sum := w.sum(e.email, e.meta)
		if was == nil || was.sum != sum || w.later[e.id] {
			differ = append(differ, seen(e))
		}
		marks = append(marks, mark{e.id, sum})
	}
	outside, later, err := w.ledger.Observe(ctx, list.asOf, list.answered, differ)
	for _, c := range outside {
		w.log.Info("changed outside", "account", c.Account, "kind", c.Kind, "change", c.ID)
	}
	if err != nil {
		return err
	}
	w.later = make(map[wave.UserID]bool, len(later))
	for _, id := range later {
		w.later[id] = true
	}
	gone := make(map[wave.UserID]bool)
	for _, s := range differ {
		gone[s.Account] = s.Gone && !w.later[s.Account]
	}
	w.known = slices.DeleteFunc(marks, func(m mark) bool { return gone[m.id] })
	return nil
}

// begin takes what the ledger knows for the list before. The first list ever is
// only taken note of: adopted.
func (w *Watcher) begin(ctx context.Context, list *Snapshot) (adopted bool, err error) {
	var known []mark
	any, err := w.ledger.Known(ctx, func(s change.Seen) {
		known = append(known, mark{s.Account, w.sum(s.Email, s.Meta)})
	})
	if err != nil {
		return false, err
	}
	slices.SortFunc(known, func(a, b mark) int { return strings.Compare(string(a.id), string(b.id)) })
	if any {
		w.known = known
		return false, nil
	}
	var all []change.Seen
	marks := []mark{}
	for _, slot := range list.byID {
		if e := list.at(slot); e.flaw == wave.NoFlaw {
			all = append(all, seen(e))
			marks = append(marks, mark{e.id, w.sum(e.email, e.meta)})
		}
	}
	if err := w.ledger.Adopt(ctx, list.answered, all); err != nil {
		return false, err
	}
	w.known = marks
	return true, nil
}

// pairs yields each account of before with that of list, nil where there is none,
// by id. Of several records with one id, all are yielded: they are flawed.
func (w *Watcher) pairs(list *Snapshot) iter.Seq2[*mark, *entry] {
	return func(yield func(*mark, *entry) bool) {
		i := 0
		for _, slot := range list.byID {
			e := list.at(slot)
			for ; i < len(w.known) && w.known[i].id < e.id; i++ {
				if !yield(&w.known[i], nil) {
					return
				}
			}
			var was *mark
			if i < len(w.known) && w.known[i].id == e.id {
				was = &w.known[i]
				i++
			}
			if !yield(was, e) {
				return
			}
		}
		for ; i < len(w.known); i++ {
			if !yield(&w.known[i], nil) {
				return
			}
		}
	}
}

func seen(e *entry) change.Seen {
	return change.Seen{Account: e.id, Email: e.email, Company: e.group.CompanyID, Meta: e.meta}
}

// sum is another one, nearly for sure, when an account's email or flags are. The
// order in which flags came does not count.
func (w *Watcher) sum(email string, m wave.Meta) uint64 {
	total := maphash.Comparable(w.seed, struct {
		email     string
		on, known uint64
	}{email, m.Bits(), m.Known()})
	for key, raw := range m.Rest() {
		total += maphash.Comparable(w.seed, [2]string{string(key), raw})
	}
	return total
}
