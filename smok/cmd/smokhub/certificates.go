package main

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/fieldlink-go/fieldlink/ngtt/ngtttest"
	"github.com/fieldlink-go/fieldlink/smok/smoktest"
)

// writeCertificates writes what devices need to trust the hub and to be trusted.
func writeCertificates(hub *smoktest.Hub, dir string, environment int, devices []string) error {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return err
	}
	defer func() { _ = root.Close() }() // nothing was written through it
	if err := root.WriteFile("ca.pem", hub.AuthorityPEM(), 0o644); err != nil {
		return err
	}
	for _, id := range devices {
		if id == "" || id != filepath.Base(id) || id == "ca" {
			return fmt.Errorf("%q cannot be the name of a file", id)
		}
		certPEM, keyPEM, err := hub.Issue(ngtttest.Device{ID: id, Environment: environment})
		if err != nil {
			return err
		}
		if err := root.WriteFile(id+".crt", certPEM, 0o644); err != nil {
			return err
		}
		if err := root.WriteFile(id+".key", keyPEM, 0o600); err != nil {
			return err
		}
	}
	return nil
}
