package profile

import (
	"encoding/json"
	"fmt"
)

// Pin writes the file with which a site says that a thing that was found is a
// reader of a known kind. It pins the model where the thing says which it is,
// and the port it is plugged into where many things would say the same or
// byPort asks for it, as for two equal readers. It fails where the two cannot go
// together, and where the thing says too little to be told from others.
func (s Set) Pin(id, like string, f Found, byPort bool) ([]byte, error) {
	p := Profile{ID: id, Like: like, Match: []Match{f.match(byPort)}}
	if _, err := s.resolve(p); err != nil {
		return nil, fmt.Errorf("pinning a reader: %w", err)
	}
	raw, err := json.MarshalIndent(p, "", "\t")
	if err != nil {
		return nil, fmt.Errorf("pinning a reader: %w", err)
	}
	return append(raw, '\n'), nil
}

// match is a match that fits this thing and nothing that is unlike it.
func (f Found) match(byPort bool) Match {
	m := Match{Bus: f.Bus}
	switch f.Bus {
	case BusPCSC, BusSANE:
		m.Name = f.Name
		return m
	case BusHID:
		m.UsagePage, m.Usage = f.UsagePage, f.Usage
		if m.UsagePage == 0 {
			m.Usage, m.Class = 0, f.Class
		}
	case BusUSB:
		m.Class = f.Class
	}
	if f.Vendor != 0 {
		m.Vendor, m.Product = f.Vendor, f.Product
	}
	_, cable := adapters[uint32(f.Vendor)<<16|uint32(f.Product)]
	if byPort || cable || m.Product == 0 {
		m.PortPath = f.PortPath
	}
	return m
}
