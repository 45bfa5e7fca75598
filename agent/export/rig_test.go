package export

import (
	"time"

	"github.com/counterproof/counterproof/agent/gpg45"
	"github.com/counterproof/counterproof/agent/proof"
)

// decided is when the invented proofings were decided.
var decided = time.Date(2026, 11, 22, 16, 5, 59, 0, time.UTC)

// checked is a check of the desk.
func checked(method proof.CheckMethod, part string, score int, reason proof.Code) Check {
	return Check{
		Check: proof.Check{Method: method, Part: part, Score: score, Reason: reason, By: proof.Actor{Kind: proof.ByPerson, ID: "op-7"}, Event: 12},
		At:    decided.Add(-3 * time.Minute),
	}
}

// inga is an invented person.
func inga() proof.Person {
	return proof.Person{
		Surname: proof.Name{Printed: "Silberstein-Møller", ICAO: "SILBERSTEIN MOELLER"}, Given: proof.Name{ICAO: "INGA MARIA"},
		Birth: proof.Date{Year: 1991, Month: 11, Day: 6}, Sex: "F", Nationality: "NOR",
	}
}

// licence is a British licence of validity 3, by ultraviolet light, and the
// comparison with its photo.
func licence() Piece {
	return Piece{
		Score: proof.Evidence{Type: "uk_dl", Strength: 3, Validity: 3},
		Checks: []Check{
			checked(proof.PhysicalInPerson, "validity", 1, "validity_inspected"),
			checked(proof.PhysicalUVIR, "validity", 3, "validity_uvir"),
			checked(proof.BiometricPresent, "verification", 0, "face_machine_aid"),
			checked(proof.PersonInPerson, "verification", 3, "compared_recently"),
		},
		Document: &Document{
			Number: "SILBE961061IM9IJ35", Personal: "SILBE961061IM9IJ", Serial: "ZG21000001",
			Issued: proof.Date{Year: 2021, Month: 1, Day: 1}, Expires: proof.Date{Year: 2030, Month: 12, Day: 31},
			Issuer: Issuer{Name: "DVLA", Country: "United Kingdom", Code: "GBR", Jurisdiction: "GB-GBN"},
		},
	}
}

// passport is a passport of validity 3, by its chip, and the comparison with its
// photo.
func passport() Piece {
	return Piece{
		Score: proof.Evidence{Type: "passport_chip", Strength: 4, Validity: 3},
		Checks: []Check{
			checked(proof.Cryptographic, "validity", 3, "validity_chip"),
			checked(proof.PersonInPerson, "verification", 3, "compared_recently"),
		},
		Document: &Document{
			Number: "L00123456", Expires: proof.Date{Year: 2029, Month: 2, Day: 28},
			Issuer: Issuer{Name: "Passport Office", Country: "Utopia", Code: "UTO"},
		},
	}
}

// vouched is a vouch of 2/2 whose voucher confirms the person.
func vouched() Piece {
	return Piece{
		Score: proof.Evidence{Type: proof.Vouch, Strength: 2, Validity: 2},
		Checks: []Check{
			checked(gpg45.MethodVouch, "validity", 2, "vouch_digital"),
			checked(gpg45.MethodVouch, "verification", 1, "vouch_confirmed"),
		},
		Vouch: &Vouch{
			Reference: "6485-1619-3976", Given: proof.Date{Year: 2026, Month: 11, Day: 20}, Expires: proof.Date{Year: 2027, Month: 2, Day: 18},
			Name: "Dr Petra Quill", Birth: proof.Date{Year: 1975, Month: 4, Day: 13}, Occupation: "dentist", Organisation: "Harbour Dental",
		},
	}
}

// register is a record that was asked for the fraud check.
func register() Piece {
	c := checked(proof.RecordData, "fraud", 1, "fraud_from_sources")
	c.Code, c.Organisation, c.Txn = "mortality_check", "Register Office", "GRO-4711"
	return Piece{Checks: []Check{c}, Record: &Record{
		Type: "death_register", Source: Issuer{Name: "Register Office", Code: "GBR"}, Created: proof.Date{Year: 2024, Month: 2, Day: 29},
	}}
}

// proofing brings pieces together; the outcome has the scores of the pieces.
func proofing(level proof.Level, profile string, pieces ...Piece) Proofing {
	p := Proofing{
		Process: "CP-7Q2M-X4KD", Person: inga(), Decided: decided, Organisation: "Harbour Pharmacy", Pieces: pieces,
		Outcome: proof.Outcome{
			Result: proof.Proved, Level: level, Profile: profile, Policy: "gpg45-0.4", NHS: proof.P9,
			Reasons: []proof.Reason{{Code: "profile_met"}},
		},
	}
	s := &p.Outcome.Scores
	for _, e := range pieces {
		if e.Score != (proof.Evidence{}) {
			s.Evidence = append(s.Evidence, e.Score)
		}
		s.Activity = max(s.Activity, e.best("activity"))
		s.Fraud = max(s.Fraud, e.best("fraud"))
		s.Verification = max(s.Verification, e.best("verification"))
	}
	return p
}

// medium, high and low are proofings that may be exported.
func medium() Proofing { return proofing(proof.Medium, "M1C", licence()) }
func high() Proofing   { return proofing(proof.High, "H1A", passport(), licence(), register()) }
func low() Proofing    { return proofing(proof.Low, "L1A", vouched(), register()) }
