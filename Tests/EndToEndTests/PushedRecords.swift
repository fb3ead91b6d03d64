import Domain

/// A record of each kind with all that can be said of it.
enum PushedRecords {
    /// What the others belong to, in the order in which it is to be pushed.
    static let people: [(kind: RecordKind, name: String, body: String)] = [
        (.candidate, "c", #"{"full_name":"Ada Owner"}"#), (.job, "j", #"{"title":"Owner"}"#),
        (.application, "a", #"{"candidate_external_id":"c","job_external_id":"j"}"#),
    ]
    private static let both = #""candidate_external_id":"c","job_external_id":"j""#
    private static let times = #""started_at":"2030-01-01T10:00:00Z","ended_at":"2030-01-01T10:30:00.5+01:00","duration_seconds":1800.25"#

    /// Every field, but for the résumé's.
    static func full(_ kind: RecordKind) -> String {
        switch kind {
        case .candidate:
            #"""
            {"first_name":"Zoë","last_name":"東京","full_name":"Zoë \"Q\" 東京","headline":"h","location":"Malmö","source":"s",
             "status":"screening","skills":["C++","Swift"],"years_experience":7.5,"email":"zoe@example.com","phone":"+1 555",
             "profile_url":"https://example.com/p","share_url":"https://example.com/s","external_user_id":"u-1",
             "custom":{"a":{"b":1.0,"c":[1,null,"é\u0000"]},"n":0.30000000000000004,"big":12345678901234567890}}
            """#
        case .job:
            #"""
            {"title":"Bäcker","description":"d","department":"Ops","location":"Malmö","employment_type":"full_time","status":"open",
             "salary_min":10,"salary_max":20.5,"salary_currency":"EUR","salary_interval":"year","required_skills":["bread"],
             "openings":2,"posted_at":"2030-01-01T00:00:00Z","closes_at":"2030-02-01T00:00:00Z","custom":{"x":true}}
            """#
        case .application: #"{\#(both),"stage":"Phone","status":"active","applied_at":"2030-01-01T00:00:00Z"}"#
        case .interview:
            #"""
            {\#(both),"application_external_id":"a","type":"ai","status":"completed","title":"t","company_name":"co",
             "scheduled_at":"2030-01-01T09:00:00Z",\#(times),"meeting_url":"https://example.com/m","location":"l",
             "interviewers":[{"name":"Bo","email":"bo@example.com"}],"call_id":"k","session_id":"s","session_type":"voice",
             "session_token":"tok","result":{"question_completion_rate":100,"overall_grade":81.5,"scores":{"n":1},"summary":"s",
             "question_results":[{"q":1}],"transcript":[{"speaker":"a","text":"b"}],"sms_transcript":"sms",
             "recording_url":"https://example.com/r","thumbnail_url":"https://example.com/t","interview_url":"https://example.com/i",
             "resume_url":"https://example.com/cv","validation":{"v":1},"integrity":{"i":1},"evaluation":{"e":1},
             "resume_evaluation":{"r":1}}}
            """#
        case .match: #"{\#(both),"score":91.5,"reasons":["r1","r2"],"status":"new","scored_at":"2030-01-01T00:00:00Z"}"#
        case .call:
            #"""
            {\#(both),"purpose":"screen","status":"completed",\#(times),"ai_score":77,"agent_id":"ag","agent_name":"Agent",
             "user_id":"u","team_member_user_id":"t","summary":"s","recording_url":"https://example.com/r","transcript":"text"}
            """#
        case .training:
            #"""
            {"agent_id":"ag","agent_name":"Agent","user_id":"u","team_member_user_id":"t","duration_seconds":60,"ai_score":58,
             "completed_at":"2030-01-01T00:00:00Z"}
            """#
        case .broadcast:
            #"""
            {"job_external_id":"j","channel":"board","url":"https://example.com/b","status":"sent","sent_at":"2030-01-01T00:00:00Z",
             "recipients":9}
            """#
        }
    }

    /// What has to be said at least.
    static func least(_ kind: RecordKind) -> String {
        switch kind {
        case .job: #"{"title":"Bäcker"}"#
        case .application: "{\(both)}"
        case .match: #"{\#(both),"score":1}"#
        case .broadcast: #"{"job_external_id":"j"}"#
        case .interview: #"{"status":"cancelled"}"#
        case .candidate, .call, .training: "{}"
        }
    }
}
