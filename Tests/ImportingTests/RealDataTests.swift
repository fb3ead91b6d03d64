import Domain
import Foundation
import Importing
import Testing

/// The data of ../shared/data beside the package, by the mappings of Tests/mappings; see its README.md.
@Suite(.enabled(if: RealData.isThere, "../shared/data is not there"))
struct RealDataTests {
    @Test func theCitysJobsLoad() throws {
        let rows = try RealData.rows("nyc-jobs/nyc-jobs_2019-03-19.csv", .job, .csv, "nyc-jobs")
        #expect(rows.count == 3843)
        #expect(rows.allSatisfy { !$0.contains(": ! ") })
        let first = try #require(rows.first)
        #expect(
            first.hasPrefix(
                "2: external_id=87990-Internal title=Account Manager department=DEPARTMENT OF BUSINESS SERV. "
                    + "location=110 William St. N Y employment_type=null status=open description=Division of Economic"))
        #expect(
            first.contains(
                "salary_min=42405.0 salary_max=65485.0 salary_currency=USD salary_interval=year openings=1 "
                    + "posted_at=2011-06-24T04:00:00.000000Z closes_at=null custom={\"job_id\":\"87990\""))
        #expect(Set(rows.map(RealData.externalID)).count == 3803)
        #expect(rows.count { $0.contains(" salary_interval=hour ") } == 506)
        #expect(rows.count { $0.contains(" salary_interval=day ") } == 47)
        #expect(rows.count { $0.contains(" employment_type=part_time ") } == 263)
        #expect(rows.count { $0.contains(" closes_at=null ") } == 2490)
        // Whatever was over by then is not in the file.
        #expect(rows.count { $0.contains(" status=open ") } == 3843)
    }

    @Test func theCallBackExperimentLoads() throws {
        let file = "resume-callback/ResumeNames.csv"
        let candidates = try RealData.rows(file, .candidate, .csv, "resume-callback-candidates")
        #expect(candidates.count == 4870)
        #expect(
            candidates[3] == "5: external_id=4 first_name=Latonya full_name=Latonya location=Chicago, IL "
                + "source=call-back experiment status=new skills=[computer,special skills,volunteering] "
                + "years_experience=6.0 custom={\"gender\":\"female\",\"ethnicity\":\"afam\",\"quality\":\"high\","
                + "\"earlier_jobs\":4,\"honors\":false,\"college\":false,\"gaps\":true,"
                + "\"worked_at_school\":false,\"gave_email\":true}")
        let jobs = try RealData.rows(file, .job, .csv, "resume-callback-jobs")
        #expect(jobs.count == 4870)
        // The same advertisement is the same job, in every field.
        #expect(Set(jobs.map { $0.drop { $0 != " " } }).count == 684)
        #expect(
            jobs[0] == "2: external_id=chicago|supervisor|manufacturing|5|yes|yes|yes|no|no|yes|no title=supervisor "
                + "department=manufacturing location=Chicago, IL status=closed required_skills=[experience,computer] "
                + "custom={\"minimum_experience\":\"5\",\"equal_opportunity\":true}")
        let applications = try RealData.rows(file, .application, .csv, "resume-callback-applications")
        #expect(applications.count == 4870)
        #expect(
            applications[0] == "2: external_id=1 stage=application status=not called back candidate_id=<1> "
                + "job_id=<chicago|supervisor|manufacturing|5|yes|yes|yes|no|no|yes|no>")
        let matches = try RealData.rows(file, .match, .csv, "resume-callback-matches")
        #expect(matches.count { $0.contains(" score=100.0 ") } == 392)
        #expect(matches.count { $0.contains(" score=0.0 ") } == 4478)
    }

    @Test func theATSPayloadsLoad() throws {
        let file = "greenhouse-payloads/payloads.jsonl"
        let candidates = try RealData.rows(file, .candidate, .ndjson, "greenhouse-candidates")
        #expect(candidates.count == 2)
        #expect(
            candidates[0] == "1: external_id=53883394 first_name=John last_name=Locke full_name=John Locke "
                + "headline=Customer Success Representative, The Tustin Box Company location=New York, New York, USA "
                + "source=LinkedIn (Prospecting) status=interviewing skills=[Python,Ruby] email=test@work.com "
                + "phone=555-555-5555 profile_url=mysite.com custom={\"desired_salary\":\"1000000000\","
                + "\"work_remotely\":true,\"graduation_year\":\"2018\"}")
        let jobs = try RealData.rows(file, .job, .ndjson, "greenhouse-jobs")
        #expect(jobs.map(RealData.externalID) == ["6404", "6404"])
        #expect(
            jobs[0].contains("title=Archaeologist department=Second-Level department location=New York, United States"))
        let applications = try RealData.rows(file, .application, .ndjson, "greenhouse-applications")
        #expect(
            applications == [
                "22: external_id=985314 stage=Recruiter Phone Screen status=rejected "
                    + "applied_at=2016-03-26T20:11:39.000000Z candidate_id=<978031> job_id=<123>",
                "23: external_id=69306314 stage=Application Review status=active "
                    + "applied_at=2017-09-29T12:56:05.244000Z candidate_id=<57683957> job_id=<107761>",
                "23: external_id=69306509 stage=null status=hired "
                    + "applied_at=2017-09-29T13:00:04.058000Z candidate_id=<57683957> job_id=<224587>",
                "24: external_id=69306314 stage=Application Review status=active "
                    + "applied_at=2017-09-29T12:56:05.244000Z candidate_id=<57683957> job_id=<107761>",
            ])
        let nested = try RealData.rows(file, .application, .ndjson, "greenhouse-candidates-applications")
        #expect(nested.map(RealData.externalID) == ["69102626", "65153308", "69103370", "65153308"])
        let interviews = try RealData.rows(file, .interview, .ndjson, "greenhouse-interviews")
        #expect(interviews.map(RealData.externalID) == ["9128481", "9128481", "9128482", "9128481", "9128482"])
        #expect(
            interviews[2].contains(
                "status=completed title=Whiteboarding Challenge scheduled_at=2017-08-22T00:00:00.000000Z"))
    }
}

enum RealData {
    private static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()
    private static let folder = root.appending(path: "../shared/data").standardized

    static var isThere: Bool { FileManager.default.fileExists(atPath: folder.path) }

    static func rows(_ path: String, _ kind: RecordKind, _ format: FileFormat, _ mapping: String) throws -> [String] {
        let document = try String(contentsOf: root.appending(path: "Tests/mappings/\(mapping).json"), encoding: .utf8)
        return try RowTexts.of(
            Array(try Data(contentsOf: folder.appending(path: path))), kind, format,
            mapping: Mapping(json: JSONParser.parse(document), kind: kind), pieces: [65_536])
    }

    static func externalID(_ row: String) -> String {
        String(row.drop { $0 != "=" }.dropFirst().prefix { $0 != " " })
    }
}
