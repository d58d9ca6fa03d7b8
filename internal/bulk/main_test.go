package bulk_test

import (
	"flag"
	"log"
	"testing"
)

func TestMain(m *testing.M) {
	flag.Parse()
	if err := flag.Set("test.parallel", "8"); err != nil { // most of the time all of them wait
		log.Fatal(err)
	}
	m.Run()
}
