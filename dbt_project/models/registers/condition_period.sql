{{ condition_periods(ref('condition_evidence'), ref('register_rule'), ref('person')) }}
