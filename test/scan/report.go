package main

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
)

// finding is a line of the report of wapiti.
type finding struct {
	Method    string `json:"method"`
	Path      string `json:"path"`
	Info      string `json:"info"`
	Level     int    `json:"level"`
	Parameter string `json:"parameter"`
}

// outdated is what wapiti asks for and no browser knows any more. While browsers did, it
// let pages of others find out what stands in ours.
const outdated = "X-XSS-Protection is not set"

// readReport prints what wapiti found and how much it looked at. It fails if there is a
// vulnerability or an anomaly.
func readReport(path, who string) error {
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	var report struct {
		Vulnerabilities map[string][]finding `json:"vulnerabilities"`
		Anomalies       map[string][]finding `json:"anomalies"`
	}
	if err := json.Unmarshal(text, &report); err != nil {
		return fmt.Errorf("report of wapiti: %w", err)
	}
	found := 0
	for _, kinds := range []map[string][]finding{report.Vulnerabilities, report.Anomalies} {
		for _, kind := range slices.Sorted(maps.Keys(kinds)) {
			for _, f := range kinds[kind] {
				if strings.HasPrefix(f.Info, outdated) {
					fmt.Printf("passed over: %s\n", describe(f.Info))
					continue
				}
				found++
				fmt.Printf("FOUND  %s, level %d: %s %s %s: %s\n", kind, f.Level, f.Method, f.Path, f.Parameter, describe(f.Info))
			}
		}
	}
	fmt.Printf("%d findings\n", found)
	if found > 0 {
		return fmt.Errorf("wapiti as %s has %d findings", who, found)
	}
	return nil
}
