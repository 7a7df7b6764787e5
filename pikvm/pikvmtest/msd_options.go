package pikvmtest

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"
)

// MSDOptions describes the mass storage. The zero value is an empty one with room for about 2.9 GB, and no drive
// connected.
type MSDOptions struct {
	// Disabled imitates a device without the MSD plugin.
	Disabled bool

	// Offline imitates storage that is away. See [Server.SetMSDOnline].
	Offline bool

	// Capacity is the size of the storage, in bytes. Zero means that of the recorded device, of which most is used.
	Capacity int64

	// Directories are directories for images beside the main one, such as "nvme/iso". Images with such a name before
	// a slash go there; other directories do not exist.
	Directories []string

	// Remotes are made-up images that the device can fetch, by URL.
	Remotes map[string]RemoteImage

	// FetchFrom are the beginnings of URLs that the device really fetches, over the network of this machine, such as
	// "http://127.0.0.1:8000/images/". Each has at least the slash after the host. Redirects lead nowhere else, and URLs that
	// are neither here nor in Remotes cannot be reached.
	FetchFrom []string
}

// RemoteImage is an image on a server that exists for the device only.
type RemoteImage struct {
	Size      int64         // in bytes; the content is made up
	Name      string        // that the server gives (Content-Disposition); empty means that it gives none
	ChunkTime time.Duration // between two pieces of 64 KiB; zero means none
	BreakAt   int64         // bytes after which the transfer breaks; zero means never
	Status    int           // of the server's answer; zero means 200
	NoLength  bool          // the server does not tell the size
}

// Storage of the recorded device.
const (
	msdCapacity = 8414195712
	msdFree     = 2910556160
)

func (o *MSDOptions) withDefaults() (MSDOptions, error) {
	c := *o
	switch {
	case c.Capacity < 0:
		return c, fmt.Errorf("pikvmtest: Capacity %d is negative", c.Capacity)
	case c.Capacity == 0:
		c.Capacity = msdCapacity
	}
	c.Directories = slices.Clone(c.Directories)
	for _, dir := range c.Directories {
		if name, err := validImageName(dir); err != nil || name != dir || strings.HasPrefix(dir, "/") {
			return c, fmt.Errorf("pikvmtest: %q is no directory for images", dir)
		}
	}
	remotes := make(map[string]RemoteImage, len(c.Remotes))
	for address, remote := range c.Remotes {
		if remote.Size < 0 || remote.ChunkTime < 0 || remote.BreakAt < 0 {
			return c, fmt.Errorf("pikvmtest: a negative number in the remote image %s", address)
		}
		remotes[address] = remote
	}
	c.Remotes = remotes
	c.FetchFrom = slices.Clone(c.FetchFrom)
	for _, begin := range c.FetchFrom {
		u, err := url.Parse(begin)
		if err != nil || !urlPattern.MatchString(begin) || u.Host == "" || !strings.HasPrefix(u.Path, "/") {
			return c, fmt.Errorf("pikvmtest: %q is not the beginning of a URL with a host", begin)
		}
	}
	return c, nil
}
