package archtest

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const asvsFile, securityPage = "docs/security/asvs.csv", "docs/security.md"

// levels are the requirements of the OWASP Application Security Verification
// Standard 5.0.0: for each section, one digit for each requirement, its level.
const levels = `
	1.1:22 1.2:1111122223 1.3:112222222223 1.4:222 1.5:123 2.1:122 2.2:112 2.3:12223 2.4:23 3.1:3 3.2:113
	3.3:12223 3.4:11222233 3.5:11122333 3.6:3 3.7:22333 4.1:12233 4.2:23333 4.3:22 4.4:1222 5.1:2 5.2:112333
	5.3:113 5.4:222 6.1:122 6.2:111111112222 6.3:11223333 6.4:112233 6.5:22222333 6.6:2223 6.7:33 6.8:2222
	7.1:222 7.2:1111 7.3:22 7.4:11222 7.5:223 7.6:22 8.1:1233 8.2:1123 8.3:133 8.4:23 9.1:111 9.2:1222 10.1:22
	10.2:223 10.3:22223 10.4:1111122222233333 10.5:22222 10.6:22 10.7:222 11.1:2233 11.2:22233 11.3:11233
	11.4:1222 11.5:23 11.6:23 11.7:33 12.1:12233 12.2:11 12.3:22223 13.1:2333 13.2:222223 13.3:2233 13.4:1222233
	14.1:22 14.2:12223333 14.3:122 15.1:12233 15.2:12233 15.3:1222222 15.4:3333 16.1:2 16.2:22222 16.3:2222
	16.4:222 16.5:2223 17.1:23 17.2:22223333 17.3:22
`

// standard returns the level of each requirement by its id, such as 1.2.3, and the ids
// in their order.
func standard(t *testing.T) (map[string]int, []string) {
	t.Helper()
	all := make(map[string]int)
	var order []string
	for _, section := range strings.Fields(levels) {
		name, digits, _ := strings.Cut(section, ":")
		for i, digit := range digits {
			id := fmt.Sprintf("%s.%d", name, i+1)
			all[id] = int(digit - '0')
			order = append(order, id)
		}
	}
	count := make(map[int]int)
	for _, level := range all {
		count[level]++
	}
	if count[1] != 70 || count[2] != 183 || count[3] != 92 {
		t.Fatalf("the standard has 70, 183 and 92 requirements, not %v", count)
	}
	return all, order
}

// requirement is a row of docs/security/asvs.csv.
type requirement struct {
	id      string
	level   string
	summary string   // of what is asked for, in our words
	status  string   // one of statuses
	proof   []string // tests as package.TestName, perhaps with /part, and pages as file#heading
	note    string
}

// statuses are what a requirement can be: met; open, with what is to be done; for
// the operator, as a page says; or not applicable, with the reason.
var statuses = []string{"met", "open", "operator", "not applicable"}

func readASVS(t *testing.T) []requirement {
	t.Helper()
	var all []requirement
	for _, row := range readCSV(t, asvsFile, "id,level,summary,status,proof,note") {
		r := requirement{id: row[0], level: row[1], summary: row[2], status: row[3], note: row[5]}
		for p := range strings.SplitSeq(row[4], "; ") {
			if p != "" {
				r.proof = append(r.proof, p)
			}
		}
		all = append(all, r)
	}
	return all
}

// lacks returns what is wrong with the rows by the standard, except for whether
// their proofs exist.
func lacks(rows []requirement, level map[string]int, order []string) []string {
	var wrong []string
	say := func(r requirement, what string) { wrong = append(wrong, r.id+" "+what) }
	seen := make(map[string]bool)
	last := -1
	for _, r := range rows {
		want, known := level[r.id]
		at := slices.Index(order, r.id)
		switch {
		case !known:
			say(r, "is no requirement")
			continue
		case seen[r.id]:
			say(r, "stands twice")
		case at < last:
			say(r, "is out of order")
		case r.level != strconv.Itoa(want):
			say(r, "is of level "+strconv.Itoa(want))
		}
		seen[r.id], last = true, max(last, at)
		switch {
		case !slices.Contains(statuses, r.status):
			say(r, "is "+r.status)
		case len(r.summary) < 10 || len(r.summary) > 160:
			say(r, "has no short summary")
		case (r.status == "met" || r.status == "operator") && len(r.proof) == 0:
			say(r, "has no proof")
		case (r.status == "open" || r.status == "not applicable") && r.note == "":
			say(r, "does not say why or what is to be done")
		case want == 3 && r.status != "met":
			say(r, "is of level 3 and not met: leave it out")
		}
	}
	for _, id := range order {
		if level[id] < 3 && !seen[id] {
			wrong = append(wrong, id+" is missing")
		}
	}
	return wrong
}

func TestASVS_isWholeAndProven(t *testing.T) {
	level, order := standard(t)
	rows := readASVS(t)
	for _, wrong := range lacks(rows, level, order) {
		t.Errorf("%s: %s", asvsFile, wrong)
	}
	known := readProofs(t)
	for _, r := range rows {
		for _, p := range r.proof {
			if err := known.find(p); err != nil {
				t.Errorf("%s: %s: %v", asvsFile, r.id, err)
			}
		}
	}
}

// TestASVS_countsAreThoseOfThePage: docs/security.md says how many there are of each.
func TestASVS_countsAreThoseOfThePage(t *testing.T) {
	page, err := os.ReadFile(filepath.Join(root, securityPage))
	if err != nil {
		t.Fatal(err)
	}
	rows := readASVS(t)
	for _, level := range []string{"1", "2", "3"} {
		count := make(map[string]int)
		for _, r := range rows {
			if r.level == level {
				count[r.status]++
			}
		}
		applicable := count["met"] + count["open"] + count["operator"]
		want := fmt.Sprintf("| %s | %d | %d | %d | %d | %d |", level, applicable, count["met"], count["operator"], count["open"], count["not applicable"])
		t.Logf("level %s: %d applicable, %d met, %d by how it is run, %d open, %d not applicable", level,
			applicable, count["met"], count["operator"], count["open"], count["not applicable"])
		if !strings.Contains(string(page), want) {
			t.Errorf("%s lacks %q", securityPage, want)
		}
	}
}

// TestASVS_sayWhatIsWrong holds the test itself to what it promises.
func TestASVS_sayWhatIsWrong(t *testing.T) {
	level, order := map[string]int{"1.1.1": 1, "1.1.2": 2, "1.1.3": 3}, []string{"1.1.1", "1.1.2", "1.1.3"}
	met := func(id, level string) requirement {
		return requirement{id: id, level: level, summary: "what is asked for", status: "met", proof: []string{"web.TestX"}}
	}
	one, two := met("1.1.1", "1"), met("1.1.2", "2")
	bare, open := two, two
	bare.proof = nil
	open.status = "open"
	tests := []struct {
		name string
		rows []requirement
		want string
	}{
		{"all", []requirement{one, two}, ""},
		{"of the third level too", []requirement{one, two, met("1.1.3", "3")}, ""},
		{"one is missing", []requirement{one}, "1.1.2 is missing"},
		{"one is there twice", []requirement{one, one, two}, "1.1.1 stands twice"},
		{"one is made up", []requirement{one, two, met("1.1.4", "1")}, "1.1.4 is no requirement"},
		{"another level", []requirement{one, met("1.1.2", "1")}, "1.1.2 is of level 2"},
		{"no proof", []requirement{one, bare}, "1.1.2 has no proof"},
		{"open without a word", []requirement{one, open}, "1.1.2 does not say why or what is to be done"},
		{"out of order", []requirement{two, one}, "1.1.1 is out of order"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := strings.Join(lacks(tt.rows, level, order), "; "); got != tt.want {
				t.Errorf("%q, want %q", got, tt.want)
			}
		})
	}
}
