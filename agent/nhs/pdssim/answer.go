package pdssim

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

// Systems of codes that the service's answers name.
const (
	systemError           = "https://fhir.nhs.uk/R4/CodeSystem/Spine-ErrorOrWarningCode"
	systemNumber          = "https://fhir.nhs.uk/Id/nhs-number"
	systemPractice        = "https://fhir.nhs.uk/Id/ods-organization-code"
	systemConfidentiality = "http://terminology.hl7.org/CodeSystem/v3-Confidentiality"
	systemVerified        = "https://fhir.hl7.org.uk/CodeSystem/UKCore-NHSNumberVerificationStatus"
	systemDeath           = "https://fhir.hl7.org.uk/CodeSystem/UKCore-DeathNotificationStatus"
	extensionVerified     = "https://fhir.hl7.org.uk/StructureDefinition/Extension-UKCore-NHSNumberVerificationStatus"
	extensionDeath        = "https://fhir.hl7.org.uk/StructureDefinition/Extension-UKCore-DeathNotificationStatus"
)

// object is a JSON object of an answer.
type object = map[string]any

// problem is an answer that is no record (FHIR OperationOutcome).
type problem struct {
	status      int
	code        string // of the service's list
	severity    string // error, or information for the one that is no error
	diagnostics string // in words, with the value that was wrong; "" for none
}

// displays says each code in the service's words, and the kind of issue it is.
var displays = map[string][2]string{
	"ACCESS_DENIED":          {"forbidden", "Access Denied - Unauthorised"},
	"ADDITIONAL_PROPERTIES":  {"invalid", "Additional properties are not allowed"},
	"INVALIDATED_RESOURCE":   {"processing", "Resource that has been marked as invalid was requested - invalid resources cannot be retrieved"},
	"INVALID_METHOD":         {"not-supported", "The method is not allowed"},
	"INVALID_RESOURCE_ID":    {"value", "Resource Id is invalid"},
	"INVALID_SEARCH_DATA":    {"processing", "Search data is invalid"},
	"INVALID_VALUE":          {"value", "Provided value is invalid"},
	"MISSING_VALUE":          {"required", "Required value is missing"},
	"RESOURCE_NOT_FOUND":     {"not-found", "Resource not found"},
	"TOO_MANY_MATCHES":       {"multiple-matches", "Too Many Matches"},
	"TOO_MANY_REQUESTS":      {"throttled", "Too many requests"},
	"UNABLE_TO_CALL_SERVICE": {"timeout", "Unable to call service"},
	"UNSUPPORTED_SERVICE":    {"processing", "Unsupported Service"},
}

// tooMany is the answer that is no error.
var tooMany = &problem{status: http.StatusOK, code: "TOO_MANY_MATCHES", severity: "information"}

// refuse makes an error.
func refuse(status int, code, diagnostics string) *problem {
	return &problem{status, code, "error", diagnostics}
}

// invalid makes the error for a value.
func invalid(value, where, name string) *problem {
	return refuse(http.StatusBadRequest, "INVALID_VALUE", fmt.Sprintf("Invalid value - '%s' in %s '%s'", value, where, name))
}

// unexpected makes the error for parameters that are not known; nil knows none.
func unexpected(values url.Values, known func(string) bool) *problem {
	var names []string
	for _, name := range slices.Sorted(maps.Keys(values)) {
		if known == nil || !known(name) {
			names = append(names, "'"+name+"'")
		}
	}
	were := "was"
	if len(names) > 1 {
		were = "were"
	}
	return refuse(http.StatusBadRequest, "ADDITIONAL_PROPERTIES", fmt.Sprintf(
		"Invalid request with error - Additional properties are not allowed (%s %s unexpected)", strings.Join(names, ", "), were))
}

// write sends a problem as an OperationOutcome.
func (p *problem) write(w http.ResponseWriter) {
	issue := object{
		"severity": p.severity, "code": displays[p.code][0],
		"details": object{"coding": []object{{
			"system": systemError, "version": "1", "code": p.code, "display": displays[p.code][1],
		}}},
	}
	if p.diagnostics != "" {
		issue["diagnostics"] = p.diagnostics
	}
	write(w, p.status, object{"resourceType": "OperationOutcome", "issue": []object{issue}})
}

// write sends a resource. A client that went away is not told.
func write(w http.ResponseWriter, status int, body object) {
	w.Header().Set("Content-Type", "application/fhir+json")
	w.WriteHeader(status)
	json.NewEncoder(w).Encode(body)
}

// list makes the answer to a search. An empty one has no entries at all, which
// is how FHIR writes it: a client that counts entries has to bear that.
func list(hits []hit, now time.Time) object {
	b := object{
		"resourceType": "Bundle", "type": "searchset", "total": len(hits),
		"timestamp": now.UTC().Format("2006-01-02T15:04:05+00:00"),
	}
	var entries []object
	for _, h := range hits {
		entries = append(entries, object{
			"fullUrl":  "https://api.service.nhs.uk/personal-demographics/FHIR/R4/Patient/" + h.row.Number,
			"search":   object{"score": h.score},
			"resource": resource(h.row.Patient, false),
		})
	}
	if entries != nil {
		b["entry"] = entries
	}
	return b
}

// coded makes a list of one code.
func coded(system, code, display string) []object {
	return []object{{"system": system, "version": "1.0.0", "code": code, "display": display}}
}

// resource makes a Patient. A search shows the home address only; a retrieval
// every one of today. Of a restricted record neither tells where somebody is.
func resource(p Patient, whole bool) object {
	mark := object{"system": systemConfidentiality, "code": "U", "display": "unrestricted"}
	if p.Restricted {
		mark["code"], mark["display"] = "R", "restricted"
	}
	r := object{
		"resourceType": "Patient", "id": p.Number,
		"identifier": []object{{"system": systemNumber, "value": p.Number, "extension": []object{{
			"url":                  extensionVerified,
			"valueCodeableConcept": object{"coding": coded(systemVerified, "01", "Number present and verified")},
		}}}},
		"meta": object{"versionId": fmt.Sprint(p.Version), "security": []object{mark}},
	}
	set := func(name string, value []object) {
		if len(value) > 0 {
			r[name] = value
		}
	}
	set("name", names(p))
	for name, value := range map[string]string{"gender": p.Gender, "birthDate": p.Birth} {
		if value != "" {
			r[name] = value
		}
	}
	if p.Death != "" {
		r["deceasedDateTime"] = p.Death + "T00:00:00+00:00"
	}
	if p.DeathNotice != "" {
		r["extension"] = []object{{"url": extensionDeath, "extension": []object{{
			"url":                  "deathNotificationStatus",
			"valueCodeableConcept": object{"coding": coded(systemDeath, p.DeathNotice, deathNotices[p.DeathNotice])},
		}}}}
	}
	if p.Restricted {
		return r
	}
	set("address", addresses(p, whole))
	set("telecom", contacts(p))
	if p.Practice != "" {
		r["generalPractitioner"] = []object{{"type": "Organization", "identifier": object{"system": systemPractice, "value": p.Practice}}}
	}
	return r
}

// deathNotices says each death notification status.
var deathNotices = map[string]string{
	"1": "Informal - death notice received via an update from a local NHS Organisation such as GP or Trust",
	"2": "Formal - death notice received from Registrar of Deaths",
	"U": "Removed",
}

func names(p Patient) []object {
	var all []object
	for _, n := range p.Names {
		if n.Former {
			continue
		}
		o := object{"use": "usual"}
		if n.Use != "" {
			o["use"] = n.Use
		}
		if n.Family != "" {
			o["family"] = n.Family
		}
		if len(n.Given) > 0 {
			o["given"] = n.Given
		}
		all = append(all, o)
	}
	return all
}

func addresses(p Patient, whole bool) []object {
	var all []object
	for _, a := range p.Addresses {
		temp := a.Use == "temp"
		if a.Former || temp && !whole {
			continue
		}
		o := object{"use": "home", "postalCode": a.Postcode}
		if temp {
			o["use"] = "temp"
		}
		if len(a.Line) > 0 {
			o["line"] = a.Line
		}
		all = append(all, o)
	}
	return all
}

func contacts(p Patient) []object {
	var all []object
	for _, c := range p.Contacts {
		if !c.Former {
			all = append(all, object{"system": c.System, "use": "home", "value": c.Value})
		}
	}
	return all
}
