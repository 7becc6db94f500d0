"""projects, cohorts, and what devices have in common."""

import time

from google.protobuf.field_mask_pb2 import FieldMask
from grpc import StatusCode
from rollcall.v1 import devices_pb2, resources_pb2
from rollcall.v1 import projects_pb2 as api

PROJECT = "interop-projects"


def run(server, checks):
    keeps_projects(server.projects, checks)
    keeps_cohorts(server, checks)
    lists_what_devices_share(server, checks)
    deletes(server, checks)


def keeps_projects(projects, checks):
    began = time.time()
    project = resources_pb2.Project(slug=PROJECT, name="Projekt Ü")
    request = api.CreateProjectRequest(project=project, validate_only=True)
    checks.equal("a project that is only checked", projects.CreateProject(request).slug, PROJECT)
    get = api.GetProjectRequest(project=PROJECT)
    checks.refused("and is not there", StatusCode.NOT_FOUND, projects.GetProject, get, reason="PROJECT_NOT_FOUND")
    request.validate_only = False
    created = projects.CreateProject(request)
    checks.true("id is positive", created.id > 0)
    checks.recent("created_date", created.created_date, began)
    expected = resources_pb2.Project(
        id=created.id, slug=PROJECT, name="Projekt Ü", created_date=created.created_date
    )
    checks.same("project created", created, expected)
    checks.same("project read", projects.GetProject(get), expected)
    checks.refused(
        "project created again", StatusCode.ALREADY_EXISTS, projects.CreateProject, request, reason="PROJECT_EXISTS"
    )
    everything = projects.ListProjects(api.ListProjectsRequest(include_total=True, page_size=1000))
    checks.equal("total of projects", everything.total_count, len(everything.projects))
    checks.same("the newest project is the last", everything.projects[-1], expected)
    first = projects.ListProjects(api.ListProjectsRequest(page_size=1))
    checks.equal("the first project", [project.slug for project in first.projects], ["default"])
    second = projects.ListProjects(api.ListProjectsRequest(page_size=1, page_token=first.next_page_token))
    checks.same("the page after that", second.projects[0], everything.projects[1])


def keeps_cohorts(server, checks):
    projects = server.projects
    request = api.CreateCohortRequest(project=PROJECT, cohort=resources_pb2.Cohort(slug="beta", name="Beta"))
    created = projects.CreateCohort(request)
    expected = resources_pb2.Cohort(id=created.id, name="Beta", slug="beta")
    checks.same("cohort created", created, expected)
    device = resources_pb2.Device(device_serial="P1", owner_ref="ada", hardware_version="hw1")
    device.cohort.slug = "beta"
    server.devices.CreateDevice(devices_pb2.CreateDeviceRequest(project=PROJECT, device=device))
    expected.count_devices = 1
    get = api.GetCohortRequest(project=PROJECT, cohort="beta")
    checks.same("cohort read", projects.GetCohort(get), expected)
    rename = api.UpdateCohortRequest(
        project=PROJECT,
        cohort=resources_pb2.Cohort(slug="beta", name="Бета"),
        update_mask=FieldMask(paths=["name"]),
    )
    expected.name = "Бета"
    checks.same("cohort renamed", projects.UpdateCohort(rename), expected)
    answer = projects.ListCohorts(api.ListCohortsRequest(project=PROJECT, include_total=True))
    checks.equal("cohorts", [cohort.slug for cohort in answer.cohorts], ["default", "beta"])
    checks.equal("total of cohorts", answer.total_count, 2)
    checks.same("the cohort in the list", answer.cohorts[1], expected)
    delete = api.DeleteCohortRequest(project=PROJECT, cohort="beta")
    checks.refused(
        "cohort with a device", StatusCode.FAILED_PRECONDITION, projects.DeleteCohort, delete, reason="COHORT_NOT_EMPTY"
    )


def lists_what_devices_share(server, checks):
    request = devices_pb2.CheckInRequest(project=PROJECT, device_serial="P1")
    request.release.version, request.release.revision = "4.2.1", "abc"
    request.attributes.add(string_key="Serial no.").value.string_value = "x"
    server.devices.CheckIn(request)
    projects = server.projects
    releases = projects.ListReleases(api.ListReleasesRequest(project=PROJECT, include_total=True))
    expected = api.ListReleasesResponse(total_count=1)
    release_id = releases.releases[0].id
    checks.true("the release has an id", release_id > 0)
    expected.releases.add(id=release_id, version="4.2.1", revision="abc", count_devices=1)
    checks.same("releases", releases, expected)

    hardware = projects.ListHardwareVersions(api.ListHardwareVersionsRequest(project=PROJECT, include_total=True))
    expected = api.ListHardwareVersionsResponse(total_count=1)
    expected.hardware_versions.add(hardware_version="hw1", count_devices=1)
    checks.same("hardware versions", hardware, expected)

    keys = projects.ListAttributeKeys(api.ListAttributeKeysRequest(project=PROJECT, include_total=True))
    expected = api.ListAttributeKeysResponse(total_count=1)
    metric = resources_pb2.CustomMetric(
        id=keys.attribute_keys[0].custom_metric.id, string_key="Serial no.", data_type=resources_pb2.DATA_TYPE_STRING
    )
    expected.attribute_keys.add(custom_metric=metric, count_devices=1)
    checks.same("attribute keys", keys, expected)


def deletes(server, checks):
    projects = server.projects
    request = api.DeleteProjectRequest(project=PROJECT)
    checks.refused(
        "project with a device",
        StatusCode.FAILED_PRECONDITION,
        projects.DeleteProject,
        request,
        reason="PROJECT_NOT_EMPTY",
    )
    server.devices.DeleteDevice(devices_pb2.DeleteDeviceRequest(project=PROJECT, device_serial="P1"))
    cohort = api.DeleteCohortRequest(project=PROJECT, cohort="beta")
    checks.same("cohort deleted", projects.DeleteCohort(cohort), api.DeleteCohortResponse())
    checks.same("project deleted", projects.DeleteProject(request), api.DeleteProjectResponse())
    default = api.DeleteProjectRequest()
    checks.refused(
        "default project", StatusCode.FAILED_PRECONDITION, projects.DeleteProject, default, reason="PROJECT_PROTECTED"
    )
