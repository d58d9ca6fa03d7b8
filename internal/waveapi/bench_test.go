package waveapi_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"testing"

	"waveadmin/internal/wave"
	"waveadmin/internal/waveapi"
)

// listOf returns a list of n accounts as the API sends it.
func listOf(n int) []byte {
	var b bytes.Buffer
	b.WriteByte('[')
	meta, err := wave.Defaults().MarshalJSON()
	if err != nil {
		panic(err)
	}
	for i := range n {
		if i > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, `{"user_id":"user-%06d","billinggroup_id":"bg-%05d","billinggroup_name":"株式会社サンプル%05d","email":"user%d@example.com","company_id":"company-%05d",`+
			`"update_time":"2026-01-02T03:04:05+09:00","password_update_time":null,"wave_registered":"2020-01-01T10:00:00+09:00","meta":%s}`, i, i/3, i/3, i, i/3, meta)
	}
	b.WriteByte(']')
	return b.Bytes()
}

// BenchmarkList reads 10,000 accounts: the first list, a later one, and for
// comparison encoding/json into maps.
func BenchmarkList(b *testing.B) {
	const n = 10_000
	body := listOf(n)
	stream := func(hint int) func(*testing.B) {
		return func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				list, err := waveapi.ReadResellers(bytes.NewReader(body), hint)
				if err != nil || len(list) != n {
					b.Fatal(len(list), err)
				}
			}
		}
	}
	b.Run("first", stream(0))
	b.Run("later", stream(n))
	b.Run("maps", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			var list []map[string]any
			if err := json.NewDecoder(bytes.NewReader(body)).Decode(&list); err != nil || len(list) != n {
				b.Fatal(len(list), err)
			}
		}
	})
}
