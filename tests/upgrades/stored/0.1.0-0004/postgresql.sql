CREATE TABLE public.action_usage (
    day date NOT NULL,
    workspace_id uuid NOT NULL,
    user_id uuid NOT NULL,
    service_name text NOT NULL,
    action text NOT NULL,
    count integer DEFAULT 1 NOT NULL
);
CREATE TABLE public.activity_logs (
    id uuid NOT NULL,
    action text NOT NULL,
    actor_id uuid,
    target_type text NOT NULL,
    target_id uuid NOT NULL,
    workspace_id uuid,
    detail jsonb,
    created_at timestamp with time zone DEFAULT now() NOT NULL
);
CREATE TABLE public.alembic_version (
    version_num character varying(32) NOT NULL
);
CREATE TABLE public.authorization_codes (
    code_hash character(64) NOT NULL,
    user_id uuid NOT NULL,
    client_app_id uuid NOT NULL,
    provider text NOT NULL,
    code_challenge text,
    code_challenge_method text,
    expires_at timestamp with time zone NOT NULL
);
CREATE TABLE public.client_apps (
    id uuid NOT NULL,
    name text NOT NULL,
    redirect_uris text[] NOT NULL,
    is_active boolean DEFAULT true NOT NULL,
    created_by uuid,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL
);
CREATE TABLE public.group_memberships (
    id uuid NOT NULL,
    group_id uuid NOT NULL,
    user_id uuid NOT NULL,
    added_at timestamp with time zone DEFAULT now() NOT NULL
);
CREATE TABLE public.group_roles (
    id uuid NOT NULL,
    group_id uuid NOT NULL,
    role_id uuid NOT NULL,
    assigned_by uuid,
    assigned_at timestamp with time zone DEFAULT now() NOT NULL
);
CREATE TABLE public.groups (
    id uuid NOT NULL,
    workspace_id uuid NOT NULL,
    name text NOT NULL,
    description text,
    created_by uuid,
    created_at timestamp with time zone DEFAULT now() NOT NULL
);
CREATE TABLE public.organization_domains (
    id uuid NOT NULL,
    organization_id uuid NOT NULL,
    domain text NOT NULL,
    include_subdomains boolean DEFAULT false NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL
);
CREATE TABLE public.organizations (
    id uuid NOT NULL,
    slug character varying(63) NOT NULL,
    name character varying(255) NOT NULL,
    is_public boolean DEFAULT false NOT NULL,
    enabled boolean DEFAULT true NOT NULL,
    created_by uuid,
    created_at timestamp with time zone DEFAULT now() NOT NULL
);
CREATE TABLE public.realms (
    id uuid NOT NULL,
    slug character varying(255) NOT NULL,
    name text NOT NULL,
    m2m_ttl_s integer DEFAULT 300 NOT NULL,
    is_active boolean DEFAULT true NOT NULL,
    created_by uuid,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT ck_realms_ck_realms_m2m_ttl_s CHECK (((m2m_ttl_s >= 30) AND (m2m_ttl_s <= 3600)))
);
CREATE TABLE public.refresh_families (
    id uuid NOT NULL,
    user_id uuid NOT NULL,
    workspace_id uuid NOT NULL,
    client_app_id uuid,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    last_ip text,
    last_user_agent text,
    revoked_at timestamp with time zone,
    revoke_reason text
);
CREATE TABLE public.refresh_tokens (
    jti uuid NOT NULL,
    family_id uuid NOT NULL,
    access_jti uuid NOT NULL,
    access_expires_at timestamp with time zone NOT NULL,
    issued_at timestamp with time zone NOT NULL,
    expires_at timestamp with time zone NOT NULL,
    consumed_at timestamp with time zone
);
CREATE TABLE public.resource_permissions (
    id uuid NOT NULL,
    service_name text NOT NULL,
    resource_type text NOT NULL,
    resource_id uuid NOT NULL,
    workspace_id uuid NOT NULL,
    owner_id uuid,
    visibility text DEFAULT 'workspace'::text NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT ck_resource_permissions_ck_resource_permissions_visibility CHECK ((visibility = ANY (ARRAY['private'::text, 'workspace'::text])))
);
CREATE TABLE public.resource_shares (
    id uuid NOT NULL,
    resource_permission_id uuid NOT NULL,
    grantee_type text NOT NULL,
    grantee_id uuid NOT NULL,
    permission text NOT NULL,
    granted_by uuid,
    granted_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT ck_resource_shares_ck_resource_shares_grantee_type CHECK ((grantee_type = ANY (ARRAY['user'::text, 'group'::text]))),
    CONSTRAINT ck_resource_shares_ck_resource_shares_permission CHECK ((permission = ANY (ARRAY['view'::text, 'edit'::text])))
);
CREATE TABLE public.revoked_tokens (
    jti uuid NOT NULL,
    expires_at timestamp with time zone NOT NULL
);
CREATE TABLE public.role_actions (
    id uuid NOT NULL,
    role_id uuid NOT NULL,
    service_action_id uuid NOT NULL
);
CREATE TABLE public.roles (
    id uuid NOT NULL,
    workspace_id uuid NOT NULL,
    name text NOT NULL,
    description text,
    created_by uuid,
    created_at timestamp with time zone DEFAULT now() NOT NULL
);
CREATE TABLE public.service_actions (
    id uuid NOT NULL,
    service_name text NOT NULL,
    action text NOT NULL,
    description text,
    created_at timestamp with time zone DEFAULT now() NOT NULL
);
CREATE TABLE public.service_apps (
    id uuid NOT NULL,
    name text NOT NULL,
    service_name character varying(255) NOT NULL,
    key_hash character(64) NOT NULL,
    key_prefix character varying(12) NOT NULL,
    previous_key_hash character(64),
    previous_key_expires_at timestamp with time zone,
    is_active boolean DEFAULT true NOT NULL,
    allowed_origins text[] NOT NULL,
    allowed_idp_audiences text[] NOT NULL,
    realm_id uuid,
    last_used_at timestamp with time zone,
    created_by uuid,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL
);
CREATE TABLE public.sign_in_memory (
    user_id uuid NOT NULL,
    kind text NOT NULL,
    value text NOT NULL,
    first_seen timestamp with time zone NOT NULL,
    last_seen timestamp with time zone NOT NULL,
    CONSTRAINT ck_sign_in_memory_ck_sign_in_memory_kind CHECK ((kind = ANY (ARRAY['country'::text, 'device'::text])))
);
CREATE TABLE public.social_accounts (
    id uuid NOT NULL,
    user_id uuid NOT NULL,
    provider text NOT NULL,
    provider_user_id text NOT NULL,
    provider_data jsonb
);
CREATE TABLE public.user_roles (
    id uuid NOT NULL,
    user_id uuid NOT NULL,
    role_id uuid NOT NULL,
    assigned_by uuid,
    assigned_at timestamp with time zone DEFAULT now() NOT NULL
);
CREATE TABLE public.users (
    id uuid NOT NULL,
    email text NOT NULL,
    name text NOT NULL,
    avatar_url text,
    is_active boolean DEFAULT true NOT NULL,
    is_admin boolean DEFAULT false NOT NULL,
    organization_id uuid,
    token_epoch integer DEFAULT 0 NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL
);
CREATE TABLE public.workspace_allowed_organizations (
    id uuid NOT NULL,
    workspace_id uuid NOT NULL,
    organization_id uuid NOT NULL
);
CREATE TABLE public.workspace_invitations (
    id uuid NOT NULL,
    workspace_id uuid NOT NULL,
    code_hash character(64) NOT NULL,
    email text,
    role text NOT NULL,
    created_by uuid,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    expires_at timestamp with time zone NOT NULL,
    accepted_by uuid,
    accepted_at timestamp with time zone,
    revoked_at timestamp with time zone,
    CONSTRAINT ck_workspace_invitations_ck_workspace_invitations_role CHECK ((role = ANY (ARRAY['admin'::text, 'editor'::text, 'viewer'::text])))
);
CREATE TABLE public.workspace_memberships (
    id uuid NOT NULL,
    workspace_id uuid NOT NULL,
    user_id uuid NOT NULL,
    role text NOT NULL,
    joined_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT ck_workspace_memberships_ck_workspace_memberships_role CHECK ((role = ANY (ARRAY['owner'::text, 'admin'::text, 'editor'::text, 'viewer'::text])))
);
CREATE TABLE public.workspaces (
    id uuid NOT NULL,
    slug text NOT NULL,
    name text NOT NULL,
    description text,
    created_by uuid,
    created_at timestamp with time zone DEFAULT now() NOT NULL
);
INSERT INTO public.action_usage VALUES ('2026-11-25', 'af7bd7a6-ac82-440c-80e9-eb9fbf656175', 'ab21e097-3d90-4454-8b6b-9a00c9ff87c0', 'notes', 'export', 1);
INSERT INTO public.action_usage VALUES ('2026-11-25', 'af7bd7a6-ac82-440c-80e9-eb9fbf656175', 'c742bb92-9c3b-46d9-929b-22841333a4a6', 'notes', 'publish', 1);
INSERT INTO public.activity_logs VALUES ('d7c3d6ba-0cb1-4553-a446-f47eff681056', 'service_app_created', NULL, 'service_app', '4a69977f-97e3-4f9a-a10c-f9e7f92637aa', NULL, '{"app": "Notes", "service_name": "notes"}', '2026-11-25 23:49:16.409693+00');
INSERT INTO public.activity_logs VALUES ('cbe2c697-10b8-4270-b74b-3bd262547e1a', 'service_app_created', NULL, 'service_app', '94c23495-3dba-4d24-bff7-5bcb8aead326', NULL, '{"app": "Tasks", "service_name": "tasks"}', '2026-11-25 23:49:18.409693+00');
INSERT INTO public.activity_logs VALUES ('aa363fba-3b0e-462a-bdd3-63fa170e0df9', 'client_app_created', NULL, 'client_app', '4581d0e1-9bdc-4aea-b222-df6614781730', NULL, '{"app": "Notes"}', '2026-11-25 23:49:19.409693+00');
INSERT INTO public.activity_logs VALUES ('a9f00847-8942-4adb-bdac-896c5a8af789', 'user_login', 'ab21e097-3d90-4454-8b6b-9a00c9ff87c0', 'user', 'ab21e097-3d90-4454-8b6b-9a00c9ff87c0', NULL, '{"ip": "127.0.0.1", "flow": "user", "provider": "corp", "user_agent": "stage/1.0"}', '2026-11-25 23:49:20.409693+00');
INSERT INTO public.activity_logs VALUES ('d3f3962a-9050-4531-a004-94002f04547f', 'user_login', 'd6b380c5-9a08-4120-a42d-5ef81d50c5c6', 'user', 'd6b380c5-9a08-4120-a42d-5ef81d50c5c6', NULL, '{"ip": "127.0.0.1", "flow": "user", "provider": "corp", "user_agent": "stage/1.0"}', '2026-11-25 23:49:20.409693+00');
INSERT INTO public.activity_logs VALUES ('fc15b98c-607a-40d0-b9ca-a881d5ee2f01', 'user_login', 'c742bb92-9c3b-46d9-929b-22841333a4a6', 'user', 'c742bb92-9c3b-46d9-929b-22841333a4a6', NULL, '{"ip": "127.0.0.1", "flow": "user", "provider": "corp", "user_agent": "stage/1.0"}', '2026-11-25 23:49:20.409693+00');
INSERT INTO public.activity_logs VALUES ('34a08b8c-39f1-468e-8028-46598410ee76', 'user_login', '80a1f923-07aa-49ba-aa1d-ea9f77d39623', 'user', '80a1f923-07aa-49ba-aa1d-ea9f77d39623', NULL, '{"ip": "127.0.0.1", "flow": "user", "provider": "corp", "user_agent": "stage/1.0"}', '2026-11-25 23:49:20.409693+00');
INSERT INTO public.activity_logs VALUES ('1003d1af-28f4-4cc4-bd3f-beb9ca96a26a', 'user_logout', '80a1f923-07aa-49ba-aa1d-ea9f77d39623', 'user', '80a1f923-07aa-49ba-aa1d-ea9f77d39623', NULL, NULL, '2026-11-25 23:49:20.409693+00');
INSERT INTO public.activity_logs VALUES ('52d06628-c967-4400-a274-f0c680b7a09e', 'group_created', 'ab21e097-3d90-4454-8b6b-9a00c9ff87c0', 'group', '86c60041-53d1-435e-875c-e7a3e200db89', 'af7bd7a6-ac82-440c-80e9-eb9fbf656175', '{"name": "Writers"}', '2026-11-25 23:49:20.409693+00');
INSERT INTO public.activity_logs VALUES ('f857f665-ff8e-4398-bdfe-5f99b2b6ce9f', 'group_member_added', 'ab21e097-3d90-4454-8b6b-9a00c9ff87c0', 'user', 'c742bb92-9c3b-46d9-929b-22841333a4a6', 'af7bd7a6-ac82-440c-80e9-eb9fbf656175', '{"group_id": "86c60041-53d1-435e-875c-e7a3e200db89"}', '2026-11-25 23:49:20.409693+00');
INSERT INTO public.activity_logs VALUES ('0466c46f-f115-552e-a888-9d56d64f6346', 'action_denied', 'c742bb92-9c3b-46d9-929b-22841333a4a6', 'user', 'c742bb92-9c3b-46d9-929b-22841333a4a6', 'af7bd7a6-ac82-440c-80e9-eb9fbf656175', '{"count": 1, "action": "erase", "service_name": "notes"}', '2026-11-25 23:49:00+00');
INSERT INTO public.activity_logs VALUES ('1f05e261-7cc7-5ecd-a345-f54e2c71f418', 'action_denied', 'd6b380c5-9a08-4120-a42d-5ef81d50c5c6', 'user', 'd6b380c5-9a08-4120-a42d-5ef81d50c5c6', 'af7bd7a6-ac82-440c-80e9-eb9fbf656175', '{"count": 1, "action": "export", "service_name": "notes"}', '2026-11-25 23:49:00+00');
INSERT INTO public.activity_logs VALUES ('5e46db5e-9973-5d7d-af9e-14f0a3365faa', 'action_denied', 'd6b380c5-9a08-4120-a42d-5ef81d50c5c6', 'user', 'd6b380c5-9a08-4120-a42d-5ef81d50c5c6', 'af7bd7a6-ac82-440c-80e9-eb9fbf656175', '{"count": 1, "action": "erase", "service_name": "notes"}', '2026-11-25 23:49:00+00');
INSERT INTO public.activity_logs VALUES ('75c17288-ce99-51df-bcd0-02e3850a82c1', 'action_denied', 'ab21e097-3d90-4454-8b6b-9a00c9ff87c0', 'user', 'ab21e097-3d90-4454-8b6b-9a00c9ff87c0', 'af7bd7a6-ac82-440c-80e9-eb9fbf656175', '{"count": 1, "action": "erase", "service_name": "notes"}', '2026-11-25 23:49:00+00');
INSERT INTO public.activity_logs VALUES ('e5d21b35-cd37-519e-8543-e1f6f9c487c0', 'action_denied', 'ab21e097-3d90-4454-8b6b-9a00c9ff87c0', 'user', 'ab21e097-3d90-4454-8b6b-9a00c9ff87c0', 'af7bd7a6-ac82-440c-80e9-eb9fbf656175', '{"count": 1, "action": "publish", "service_name": "notes"}', '2026-11-25 23:49:00+00');
INSERT INTO public.activity_logs VALUES ('ea67682e-b9b5-55f5-b8ed-9616ee330ab7', 'action_denied', 'c742bb92-9c3b-46d9-929b-22841333a4a6', 'user', 'c742bb92-9c3b-46d9-929b-22841333a4a6', 'af7bd7a6-ac82-440c-80e9-eb9fbf656175', '{"count": 1, "action": "export", "service_name": "notes"}', '2026-11-25 23:49:00+00');
INSERT INTO public.activity_logs VALUES ('fe335503-14c3-57c3-b825-cd598405d032', 'action_denied', 'd6b380c5-9a08-4120-a42d-5ef81d50c5c6', 'user', 'd6b380c5-9a08-4120-a42d-5ef81d50c5c6', 'af7bd7a6-ac82-440c-80e9-eb9fbf656175', '{"count": 1, "action": "publish", "service_name": "notes"}', '2026-11-25 23:49:00+00');
INSERT INTO public.alembic_version VALUES ('0004');
INSERT INTO public.client_apps VALUES ('4581d0e1-9bdc-4aea-b222-df6614781730', 'Notes', '{https://notes.example.com/callback}', true, NULL, '2026-11-25 23:49:19.409693+00', '2026-11-25 23:49:19.409693+00');
INSERT INTO public.group_memberships VALUES ('474b0b57-f2bd-4d01-940c-b80231e52319', '86c60041-53d1-435e-875c-e7a3e200db89', 'c742bb92-9c3b-46d9-929b-22841333a4a6', '2026-11-25 23:49:20.409693+00');
INSERT INTO public.group_roles VALUES ('15cd0120-d1ec-4708-b7cd-fdb6b244fc18', '86c60041-53d1-435e-875c-e7a3e200db89', '2d887511-373e-491d-9c8c-b983c9dd329d', 'ab21e097-3d90-4454-8b6b-9a00c9ff87c0', '2026-11-25 23:49:21.409693+00');
INSERT INTO public.groups VALUES ('86c60041-53d1-435e-875c-e7a3e200db89', 'af7bd7a6-ac82-440c-80e9-eb9fbf656175', 'Writers', NULL, 'ab21e097-3d90-4454-8b6b-9a00c9ff87c0', '2026-11-25 23:49:20.409693+00');
INSERT INTO public.organization_domains VALUES ('281337d8-b3ff-4c5f-9a61-6abfc7df2c27', 'b192d27e-e455-4db8-8943-4910dc42d00f', 'example.com', false, '2026-11-25 23:49:07.409693+00');
INSERT INTO public.organizations VALUES ('00000000-0000-0000-0000-000000000001', 'public', 'Public', true, true, NULL, '2026-11-25 23:48:58.305191+00');
INSERT INTO public.organizations VALUES ('b192d27e-e455-4db8-8943-4910dc42d00f', 'example', 'Org', false, true, NULL, '2026-11-25 23:49:06.409693+00');
INSERT INTO public.realms VALUES ('7937c491-60d7-4ca3-91d6-21e5c703f95d', 'suite', 'Suite', 300, true, NULL, '2026-11-25 23:49:17.409693+00', '2026-11-25 23:49:17.409693+00');
INSERT INTO public.refresh_families VALUES ('87e073d0-b567-415a-8ad4-4ce965ae1f54', 'ab21e097-3d90-4454-8b6b-9a00c9ff87c0', 'af7bd7a6-ac82-440c-80e9-eb9fbf656175', '4581d0e1-9bdc-4aea-b222-df6614781730', '2026-11-25 23:49:20.409693+00', '127.0.0.1', 'stage/1.0', NULL, NULL);
INSERT INTO public.refresh_families VALUES ('04ad0583-b1cf-4443-bba6-6d17a50a034e', 'd6b380c5-9a08-4120-a42d-5ef81d50c5c6', 'af7bd7a6-ac82-440c-80e9-eb9fbf656175', '4581d0e1-9bdc-4aea-b222-df6614781730', '2026-11-25 23:49:20.409693+00', '127.0.0.1', 'stage/1.0', NULL, NULL);
INSERT INTO public.refresh_families VALUES ('28890c6a-90ab-499c-8954-8c8f33f5a67b', 'c742bb92-9c3b-46d9-929b-22841333a4a6', 'af7bd7a6-ac82-440c-80e9-eb9fbf656175', '4581d0e1-9bdc-4aea-b222-df6614781730', '2026-11-25 23:49:20.409693+00', '127.0.0.1', 'stage/1.0', NULL, NULL);
INSERT INTO public.refresh_families VALUES ('32d857e8-e90c-4129-808c-d28083084c43', '80a1f923-07aa-49ba-aa1d-ea9f77d39623', 'af7bd7a6-ac82-440c-80e9-eb9fbf656175', '4581d0e1-9bdc-4aea-b222-df6614781730', '2026-11-25 23:49:20.409693+00', '127.0.0.1', 'stage/1.0', '2026-11-25 23:49:20.409693+00', 'logout');
INSERT INTO public.refresh_tokens VALUES ('c05f127c-056f-4397-bb9b-dd503e823a40', '87e073d0-b567-415a-8ad4-4ce965ae1f54', 'e3277143-944b-4c10-bb23-e180a37e1337', '2026-11-26 00:04:20+00', '2026-11-25 23:49:20.409693+00', '2026-12-02 23:49:20+00', NULL);
INSERT INTO public.refresh_tokens VALUES ('96f13899-a420-4d4c-bd12-1eb75abfaccb', '04ad0583-b1cf-4443-bba6-6d17a50a034e', 'b93cd084-240e-4dd3-821e-ce9ad27ed9c9', '2026-11-26 00:04:20+00', '2026-11-25 23:49:20.409693+00', '2026-12-02 23:49:20+00', NULL);
INSERT INTO public.refresh_tokens VALUES ('b062a206-bc7f-4ea6-8a7c-35a076f78246', '28890c6a-90ab-499c-8954-8c8f33f5a67b', 'b0dce142-0477-49b6-aee4-fd1f8eb5a162', '2026-11-26 00:04:20+00', '2026-11-25 23:49:20.409693+00', '2026-12-02 23:49:20+00', '2026-11-25 23:49:20.409693+00');
INSERT INTO public.refresh_tokens VALUES ('f98a7852-829b-48e7-a120-e32b7fac70ce', '28890c6a-90ab-499c-8954-8c8f33f5a67b', '0ab03d92-bcc5-420f-b9b6-363190e30519', '2026-11-26 00:04:20+00', '2026-11-25 23:49:20.409693+00', '2026-12-02 23:49:20+00', NULL);
INSERT INTO public.resource_permissions VALUES ('0d732420-d126-4404-8329-ca4154a69a5e', 'notes', 'document', '42f42ff9-df50-5b75-8c16-cbe77cbfbbf1', 'af7bd7a6-ac82-440c-80e9-eb9fbf656175', 'ab21e097-3d90-4454-8b6b-9a00c9ff87c0', 'workspace', '2026-11-25 23:49:20.409693+00');
INSERT INTO public.resource_permissions VALUES ('49a40fc3-56f3-4438-b6e6-d9d338d80f67', 'notes', 'document', '239080f3-4882-58a7-bc79-38505d4d50a3', 'af7bd7a6-ac82-440c-80e9-eb9fbf656175', 'ab21e097-3d90-4454-8b6b-9a00c9ff87c0', 'private', '2026-11-25 23:49:20.409693+00');
INSERT INTO public.resource_permissions VALUES ('722c6ac9-2dfb-4025-8df4-93bb7fdee178', 'notes', 'document', 'c5f0f745-0628-5e74-8b55-d4f1723e07e4', 'af7bd7a6-ac82-440c-80e9-eb9fbf656175', 'ab21e097-3d90-4454-8b6b-9a00c9ff87c0', 'private', '2026-11-25 23:49:20.409693+00');
INSERT INTO public.resource_permissions VALUES ('539830bf-30ea-486f-986c-d111cff4d64f', 'notes', 'document', '6fbdb790-3ad4-5463-96f3-86f6a3bd7c84', 'af7bd7a6-ac82-440c-80e9-eb9fbf656175', 'ab21e097-3d90-4454-8b6b-9a00c9ff87c0', 'private', '2026-11-25 23:49:20.409693+00');
INSERT INTO public.resource_permissions VALUES ('9e552ea8-963b-4cd1-9d6f-cef8d57a098f', 'notes', 'document', '633f109e-0bd2-52a6-aed0-eed426da5aa4', 'af7bd7a6-ac82-440c-80e9-eb9fbf656175', 'ab21e097-3d90-4454-8b6b-9a00c9ff87c0', 'private', '2026-11-25 23:49:20.409693+00');
INSERT INTO public.resource_permissions VALUES ('d00b8092-c475-4c4d-8d6d-1df7b40debeb', 'notes', 'document', 'a50cfad5-26e0-5c55-8fcc-80fafeca6715', 'af7bd7a6-ac82-440c-80e9-eb9fbf656175', 'ab21e097-3d90-4454-8b6b-9a00c9ff87c0', 'private', '2026-11-25 23:49:20.409693+00');
INSERT INTO public.resource_shares VALUES ('e73a9bd0-de29-433e-af79-bb955092b70b', '722c6ac9-2dfb-4025-8df4-93bb7fdee178', 'user', 'd6b380c5-9a08-4120-a42d-5ef81d50c5c6', 'view', 'ab21e097-3d90-4454-8b6b-9a00c9ff87c0', '2026-11-25 23:49:20.409693+00');
INSERT INTO public.resource_shares VALUES ('5d47fb45-a6e0-4599-b792-1f44d8498241', '539830bf-30ea-486f-986c-d111cff4d64f', 'group', '86c60041-53d1-435e-875c-e7a3e200db89', 'edit', 'ab21e097-3d90-4454-8b6b-9a00c9ff87c0', '2026-11-25 23:49:20.409693+00');
INSERT INTO public.resource_shares VALUES ('0654c906-1342-4f9a-b4d9-f072ce1b2580', '9e552ea8-963b-4cd1-9d6f-cef8d57a098f', 'user', 'd6b380c5-9a08-4120-a42d-5ef81d50c5c6', 'view', 'ab21e097-3d90-4454-8b6b-9a00c9ff87c0', '2026-11-25 23:49:20.409693+00');
INSERT INTO public.resource_shares VALUES ('909197bd-19be-4de9-ba53-b8e392bb9275', '9e552ea8-963b-4cd1-9d6f-cef8d57a098f', 'group', '86c60041-53d1-435e-875c-e7a3e200db89', 'edit', 'ab21e097-3d90-4454-8b6b-9a00c9ff87c0', '2026-11-25 23:49:20.409693+00');
INSERT INTO public.revoked_tokens VALUES ('67b57232-36b9-489b-99f9-5020a8839766', '2026-11-26 00:04:20+00');
INSERT INTO public.revoked_tokens VALUES ('255ce78e-bca1-52fa-a54f-a2accb87f2a1', '2026-11-25 23:49:20.409693+00');
INSERT INTO public.role_actions VALUES ('768a171c-ad94-4362-9c32-418e7584c2ca', '2d887511-373e-491d-9c8c-b983c9dd329d', '0e8a06fb-218c-4a01-ad90-5b094e8385cd');
INSERT INTO public.role_actions VALUES ('23563df8-e145-447b-98ba-67ffd223b693', '4bed88b4-80fc-41f7-8cb9-c5a8f79540ec', '5636840e-3815-4aa6-82bb-9b3fe2023732');
INSERT INTO public.roles VALUES ('2d887511-373e-491d-9c8c-b983c9dd329d', 'af7bd7a6-ac82-440c-80e9-eb9fbf656175', 'Press', '…', 'ab21e097-3d90-4454-8b6b-9a00c9ff87c0', '2026-11-25 23:49:20.409693+00');
INSERT INTO public.roles VALUES ('4bed88b4-80fc-41f7-8cb9-c5a8f79540ec', 'af7bd7a6-ac82-440c-80e9-eb9fbf656175', 'Office', '…', 'ab21e097-3d90-4454-8b6b-9a00c9ff87c0', '2026-11-25 23:49:20.409693+00');
INSERT INTO public.service_actions VALUES ('a75be0f5-917f-4acc-8606-0a389f07e83d', 'notes', 'erase', 'To erase', '2026-11-25 23:49:20.409693+00');
INSERT INTO public.service_actions VALUES ('5636840e-3815-4aa6-82bb-9b3fe2023732', 'notes', 'export', 'To export', '2026-11-25 23:49:20.409693+00');
INSERT INTO public.service_actions VALUES ('0e8a06fb-218c-4a01-ad90-5b094e8385cd', 'notes', 'publish', 'To publish', '2026-11-25 23:49:20.409693+00');
INSERT INTO public.service_apps VALUES ('94c23495-3dba-4d24-bff7-5bcb8aead326', 'Tasks', 'tasks', '6d46ef44c16685cfd7bc8bca60ff05bd7eb375e3ceff73718e33312d64d800d4', 'sk_zMDD****', NULL, NULL, true, '{}', '{}', '7937c491-60d7-4ca3-91d6-21e5c703f95d', NULL, NULL, '2026-11-25 23:49:18.409693+00', '2026-11-25 23:49:18.409693+00');
INSERT INTO public.service_apps VALUES ('4a69977f-97e3-4f9a-a10c-f9e7f92637aa', 'Notes', 'notes', '7cd29f85664eed0fb61dc64808917cf811315bcdf5f5445f810980fc5d03ca5f', 'sk_K7C3****', NULL, NULL, true, '{}', '{}', NULL, '2026-11-25 23:49:22.409693+00', NULL, '2026-11-25 23:49:16.409693+00', '2026-11-25 23:49:16.409693+00');
INSERT INTO public.sign_in_memory VALUES ('ab21e097-3d90-4454-8b6b-9a00c9ff87c0', 'device', 'Other / Other', '2026-11-25 23:49:20.409693+00', '2026-11-25 23:49:20.409693+00');
INSERT INTO public.sign_in_memory VALUES ('d6b380c5-9a08-4120-a42d-5ef81d50c5c6', 'device', 'Other / Other', '2026-11-25 23:49:20.409693+00', '2026-11-25 23:49:20.409693+00');
INSERT INTO public.sign_in_memory VALUES ('c742bb92-9c3b-46d9-929b-22841333a4a6', 'device', 'Other / Other', '2026-11-25 23:49:20.409693+00', '2026-11-25 23:49:20.409693+00');
INSERT INTO public.sign_in_memory VALUES ('80a1f923-07aa-49ba-aa1d-ea9f77d39623', 'device', 'Other / Other', '2026-11-25 23:49:20.409693+00', '2026-11-25 23:49:20.409693+00');
INSERT INTO public.sign_in_memory VALUES ('ab21e097-3d90-4454-8b6b-9a00c9ff87c0', 'country', 'AT', '2026-11-25 23:49:20.409693+00', '2026-11-25 23:49:20.409693+00');
INSERT INTO public.social_accounts VALUES ('4649e57d-5836-492c-bbac-69751d3c1bdf', 'ab21e097-3d90-4454-8b6b-9a00c9ff87c0', 'corp', 'sub-ada', '{}');
INSERT INTO public.social_accounts VALUES ('348efe13-446d-48cf-828a-a9533ebe002a', 'd6b380c5-9a08-4120-a42d-5ef81d50c5c6', 'corp', 'sub-grace', '{}');
INSERT INTO public.social_accounts VALUES ('da0a1bc6-55ef-46be-8dc1-3b53c77c2090', 'c742bb92-9c3b-46d9-929b-22841333a4a6', 'corp', 'sub-linus', '{}');
INSERT INTO public.social_accounts VALUES ('8a5c0ed5-b78f-4d69-8c79-0b6ff5b47683', '80a1f923-07aa-49ba-aa1d-ea9f77d39623', 'corp', 'sub-gone', '{}');
INSERT INTO public.user_roles VALUES ('ab2970b3-99a0-443c-bada-4110a539ce5d', 'ab21e097-3d90-4454-8b6b-9a00c9ff87c0', '4bed88b4-80fc-41f7-8cb9-c5a8f79540ec', 'ab21e097-3d90-4454-8b6b-9a00c9ff87c0', '2026-11-25 23:49:21.409693+00');
INSERT INTO public.users VALUES ('ab21e097-3d90-4454-8b6b-9a00c9ff87c0', 'ada@example.com', 'Ada Élan', NULL, true, false, 'b192d27e-e455-4db8-8943-4910dc42d00f', 0, '2026-11-25 23:48:58.409693+00', '2026-11-25 23:49:20.409693+00');
INSERT INTO public.users VALUES ('d6b380c5-9a08-4120-a42d-5ef81d50c5c6', 'grace@example.com', 'Grace Élan', NULL, true, false, 'b192d27e-e455-4db8-8943-4910dc42d00f', 0, '2026-11-25 23:49:00.409693+00', '2026-11-25 23:49:20.409693+00');
INSERT INTO public.users VALUES ('c742bb92-9c3b-46d9-929b-22841333a4a6', 'linus@example.com', 'Linus Élan', NULL, true, false, 'b192d27e-e455-4db8-8943-4910dc42d00f', 0, '2026-11-25 23:49:02.409693+00', '2026-11-25 23:49:20.409693+00');
INSERT INTO public.users VALUES ('80a1f923-07aa-49ba-aa1d-ea9f77d39623', 'gone@example.com', 'Gone Élan', NULL, true, false, 'b192d27e-e455-4db8-8943-4910dc42d00f', 1, '2026-11-25 23:49:04.409693+00', '2026-11-25 23:49:20.409693+00');
INSERT INTO public.workspace_allowed_organizations VALUES ('5976e489-7e4d-498e-bf57-5ad87feeb438', 'd43d863c-2c21-490c-a4f3-e46ea78f7b95', 'b192d27e-e455-4db8-8943-4910dc42d00f');
INSERT INTO public.workspace_memberships VALUES ('4da22610-1f6a-4159-b7db-b8782e1e0e17', 'af7bd7a6-ac82-440c-80e9-eb9fbf656175', 'ab21e097-3d90-4454-8b6b-9a00c9ff87c0', 'owner', '2026-11-25 23:49:09.409693+00');
INSERT INTO public.workspace_memberships VALUES ('343fedfe-a43c-4f26-b850-7aaebb48f09d', 'd43d863c-2c21-490c-a4f3-e46ea78f7b95', 'd6b380c5-9a08-4120-a42d-5ef81d50c5c6', 'owner', '2026-11-25 23:49:11.409693+00');
INSERT INTO public.workspace_memberships VALUES ('f4d38b40-0618-4e35-8f2b-d0e7762bd530', 'af7bd7a6-ac82-440c-80e9-eb9fbf656175', 'd6b380c5-9a08-4120-a42d-5ef81d50c5c6', 'admin', '2026-11-25 23:49:12.409693+00');
INSERT INTO public.workspace_memberships VALUES ('3a6f2727-03d2-456f-a872-8d08a1fe3727', 'af7bd7a6-ac82-440c-80e9-eb9fbf656175', 'c742bb92-9c3b-46d9-929b-22841333a4a6', 'viewer', '2026-11-25 23:49:13.409693+00');
INSERT INTO public.workspace_memberships VALUES ('ceabfb6f-015b-421e-8be5-a663f6e262d8', 'af7bd7a6-ac82-440c-80e9-eb9fbf656175', '80a1f923-07aa-49ba-aa1d-ea9f77d39623', 'editor', '2026-11-25 23:49:14.409693+00');
INSERT INTO public.workspaces VALUES ('af7bd7a6-ac82-440c-80e9-eb9fbf656175', 'acme', 'Acme · Österreich', NULL, 'ab21e097-3d90-4454-8b6b-9a00c9ff87c0', '2026-11-25 23:49:08.409693+00');
INSERT INTO public.workspaces VALUES ('d43d863c-2c21-490c-a4f3-e46ea78f7b95', 'elsewhere', 'Acme', NULL, 'd6b380c5-9a08-4120-a42d-5ef81d50c5c6', '2026-11-25 23:49:10.409693+00');
ALTER TABLE ONLY public.alembic_version
    ADD CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num);
ALTER TABLE ONLY public.action_usage
    ADD CONSTRAINT pk_action_usage PRIMARY KEY (day, workspace_id, user_id, service_name, action);
ALTER TABLE ONLY public.activity_logs
    ADD CONSTRAINT pk_activity_logs PRIMARY KEY (id);
ALTER TABLE ONLY public.authorization_codes
    ADD CONSTRAINT pk_authorization_codes PRIMARY KEY (code_hash);
ALTER TABLE ONLY public.client_apps
    ADD CONSTRAINT pk_client_apps PRIMARY KEY (id);
ALTER TABLE ONLY public.group_memberships
    ADD CONSTRAINT pk_group_memberships PRIMARY KEY (id);
ALTER TABLE ONLY public.group_roles
    ADD CONSTRAINT pk_group_roles PRIMARY KEY (id);
ALTER TABLE ONLY public.groups
    ADD CONSTRAINT pk_groups PRIMARY KEY (id);
ALTER TABLE ONLY public.organization_domains
    ADD CONSTRAINT pk_organization_domains PRIMARY KEY (id);
ALTER TABLE ONLY public.organizations
    ADD CONSTRAINT pk_organizations PRIMARY KEY (id);
ALTER TABLE ONLY public.realms
    ADD CONSTRAINT pk_realms PRIMARY KEY (id);
ALTER TABLE ONLY public.refresh_families
    ADD CONSTRAINT pk_refresh_families PRIMARY KEY (id);
ALTER TABLE ONLY public.refresh_tokens
    ADD CONSTRAINT pk_refresh_tokens PRIMARY KEY (jti);
ALTER TABLE ONLY public.resource_permissions
    ADD CONSTRAINT pk_resource_permissions PRIMARY KEY (id);
ALTER TABLE ONLY public.resource_shares
    ADD CONSTRAINT pk_resource_shares PRIMARY KEY (id);
ALTER TABLE ONLY public.revoked_tokens
    ADD CONSTRAINT pk_revoked_tokens PRIMARY KEY (jti);
ALTER TABLE ONLY public.role_actions
    ADD CONSTRAINT pk_role_actions PRIMARY KEY (id);
ALTER TABLE ONLY public.roles
    ADD CONSTRAINT pk_roles PRIMARY KEY (id);
ALTER TABLE ONLY public.service_actions
    ADD CONSTRAINT pk_service_actions PRIMARY KEY (id);
ALTER TABLE ONLY public.service_apps
    ADD CONSTRAINT pk_service_apps PRIMARY KEY (id);
ALTER TABLE ONLY public.sign_in_memory
    ADD CONSTRAINT pk_sign_in_memory PRIMARY KEY (user_id, kind, value);
ALTER TABLE ONLY public.social_accounts
    ADD CONSTRAINT pk_social_accounts PRIMARY KEY (id);
ALTER TABLE ONLY public.user_roles
    ADD CONSTRAINT pk_user_roles PRIMARY KEY (id);
ALTER TABLE ONLY public.users
    ADD CONSTRAINT pk_users PRIMARY KEY (id);
ALTER TABLE ONLY public.workspace_allowed_organizations
    ADD CONSTRAINT pk_workspace_allowed_organizations PRIMARY KEY (id);
ALTER TABLE ONLY public.workspace_invitations
    ADD CONSTRAINT pk_workspace_invitations PRIMARY KEY (id);
ALTER TABLE ONLY public.workspace_memberships
    ADD CONSTRAINT pk_workspace_memberships PRIMARY KEY (id);
ALTER TABLE ONLY public.workspaces
    ADD CONSTRAINT pk_workspaces PRIMARY KEY (id);
ALTER TABLE ONLY public.group_memberships
    ADD CONSTRAINT uq_group_memberships_group_id_user_id UNIQUE (group_id, user_id);
ALTER TABLE ONLY public.group_roles
    ADD CONSTRAINT uq_group_roles_group_id_role_id UNIQUE (group_id, role_id);
ALTER TABLE ONLY public.groups
    ADD CONSTRAINT uq_groups_workspace_id_name UNIQUE (workspace_id, name);
ALTER TABLE ONLY public.organization_domains
    ADD CONSTRAINT uq_organization_domains_domain UNIQUE (domain);
ALTER TABLE ONLY public.organizations
    ADD CONSTRAINT uq_organizations_slug UNIQUE (slug);
ALTER TABLE ONLY public.realms
    ADD CONSTRAINT uq_realms_slug UNIQUE (slug);
ALTER TABLE ONLY public.resource_permissions
    ADD CONSTRAINT uq_resource_permissions_service_name_resource_type_resource_id UNIQUE (service_name, resource_type, resource_id);
ALTER TABLE ONLY public.resource_shares
    ADD CONSTRAINT uq_resource_shares_grantee UNIQUE (resource_permission_id, grantee_type, grantee_id);
ALTER TABLE ONLY public.role_actions
    ADD CONSTRAINT uq_role_actions_role_id_service_action_id UNIQUE (role_id, service_action_id);
ALTER TABLE ONLY public.roles
    ADD CONSTRAINT uq_roles_workspace_id_name UNIQUE (workspace_id, name);
ALTER TABLE ONLY public.service_actions
    ADD CONSTRAINT uq_service_actions_service_name_action UNIQUE (service_name, action);
ALTER TABLE ONLY public.service_apps
    ADD CONSTRAINT uq_service_apps_key_hash UNIQUE (key_hash);
ALTER TABLE ONLY public.service_apps
    ADD CONSTRAINT uq_service_apps_previous_key_hash UNIQUE (previous_key_hash);
ALTER TABLE ONLY public.service_apps
    ADD CONSTRAINT uq_service_apps_service_name UNIQUE (service_name);
ALTER TABLE ONLY public.social_accounts
    ADD CONSTRAINT uq_social_accounts_provider_provider_user_id UNIQUE (provider, provider_user_id);
ALTER TABLE ONLY public.user_roles
    ADD CONSTRAINT uq_user_roles_user_id_role_id UNIQUE (user_id, role_id);
ALTER TABLE ONLY public.users
    ADD CONSTRAINT uq_users_email UNIQUE (email);
ALTER TABLE ONLY public.workspace_allowed_organizations
    ADD CONSTRAINT uq_workspace_allowed_organizations_workspace_id_organization_id UNIQUE (workspace_id, organization_id);
ALTER TABLE ONLY public.workspace_invitations
    ADD CONSTRAINT uq_workspace_invitations_code_hash UNIQUE (code_hash);
ALTER TABLE ONLY public.workspace_memberships
    ADD CONSTRAINT uq_workspace_memberships_workspace_id_user_id UNIQUE (workspace_id, user_id);
ALTER TABLE ONLY public.workspaces
    ADD CONSTRAINT uq_workspaces_slug UNIQUE (slug);
CREATE INDEX ix_action_usage_user_id ON public.action_usage USING btree (user_id);
CREATE INDEX ix_action_usage_workspace_id ON public.action_usage USING btree (workspace_id);
CREATE INDEX ix_activity_logs_action_created_at_id ON public.activity_logs USING btree (action, created_at, id);
CREATE INDEX ix_activity_logs_actor_id_created_at_id ON public.activity_logs USING btree (actor_id, created_at, id);
CREATE INDEX ix_activity_logs_created_at_id_action ON public.activity_logs USING btree (created_at, id, action);
CREATE INDEX ix_activity_logs_target_type_created_at_id ON public.activity_logs USING btree (target_type, created_at, id);
CREATE INDEX ix_activity_logs_target_type_target_id_created_at_id ON public.activity_logs USING btree (target_type, target_id, created_at, id);
CREATE INDEX ix_activity_logs_workspace_id_created_at_id ON public.activity_logs USING btree (workspace_id, created_at, id);
CREATE INDEX ix_authorization_codes_client_app_id ON public.authorization_codes USING btree (client_app_id);
CREATE INDEX ix_authorization_codes_expires_at ON public.authorization_codes USING btree (expires_at);
CREATE INDEX ix_authorization_codes_user_id ON public.authorization_codes USING btree (user_id);
CREATE INDEX ix_group_memberships_user_id ON public.group_memberships USING btree (user_id);
CREATE INDEX ix_group_roles_group_id ON public.group_roles USING btree (group_id);
CREATE INDEX ix_group_roles_role_id ON public.group_roles USING btree (role_id);
CREATE INDEX ix_organization_domains_organization_id ON public.organization_domains USING btree (organization_id);
CREATE INDEX ix_refresh_families_client_app_id ON public.refresh_families USING btree (client_app_id);
CREATE INDEX ix_refresh_families_user_id ON public.refresh_families USING btree (user_id);
CREATE INDEX ix_refresh_families_workspace_id ON public.refresh_families USING btree (workspace_id);
CREATE INDEX ix_refresh_tokens_expires_at ON public.refresh_tokens USING btree (expires_at);
CREATE INDEX ix_refresh_tokens_family_id ON public.refresh_tokens USING btree (family_id);
CREATE INDEX ix_resource_permissions_created_at_id ON public.resource_permissions USING btree (created_at, id);
CREATE INDEX ix_resource_permissions_owner_id ON public.resource_permissions USING btree (owner_id);
CREATE INDEX ix_resource_permissions_reach ON public.resource_permissions USING btree (workspace_id, service_name, resource_type, created_at, id);
CREATE INDEX ix_resource_permissions_resource_id ON public.resource_permissions USING btree (resource_id);
CREATE INDEX ix_resource_permissions_service_name_created_at_id ON public.resource_permissions USING btree (service_name, created_at, id);
CREATE INDEX ix_resource_permissions_workspace_id_created_at_id ON public.resource_permissions USING btree (workspace_id, created_at, id);
CREATE INDEX ix_resource_shares_grantee_type_grantee_id ON public.resource_shares USING btree (grantee_type, grantee_id);
CREATE INDEX ix_revoked_tokens_expires_at ON public.revoked_tokens USING btree (expires_at);
CREATE INDEX ix_role_actions_role_id ON public.role_actions USING btree (role_id);
CREATE INDEX ix_role_actions_service_action_id ON public.role_actions USING btree (service_action_id);
CREATE INDEX ix_roles_workspace_id ON public.roles USING btree (workspace_id);
CREATE INDEX ix_service_actions_service_name ON public.service_actions USING btree (service_name);
CREATE INDEX ix_service_apps_is_active ON public.service_apps USING btree (is_active);
CREATE INDEX ix_service_apps_realm_id ON public.service_apps USING btree (realm_id);
CREATE INDEX ix_sign_in_memory_last_seen ON public.sign_in_memory USING btree (last_seen);
CREATE INDEX ix_social_accounts_user_id ON public.social_accounts USING btree (user_id);
CREATE INDEX ix_user_roles_role_id ON public.user_roles USING btree (role_id);
CREATE INDEX ix_user_roles_user_id ON public.user_roles USING btree (user_id);
CREATE INDEX ix_users_organization_id ON public.users USING btree (organization_id);
CREATE INDEX ix_workspace_allowed_organizations_organization_id ON public.workspace_allowed_organizations USING btree (organization_id);
CREATE INDEX ix_workspace_allowed_organizations_workspace_id ON public.workspace_allowed_organizations USING btree (workspace_id);
CREATE INDEX ix_workspace_invitations_workspace_id ON public.workspace_invitations USING btree (workspace_id);
CREATE INDEX ix_workspace_memberships_user_id ON public.workspace_memberships USING btree (user_id);
CREATE UNIQUE INDEX uq_organizations_public ON public.organizations USING btree (is_public) WHERE is_public;
CREATE UNIQUE INDEX uq_users_lower_email ON public.users USING btree (lower(email));
ALTER TABLE ONLY public.action_usage
    ADD CONSTRAINT fk_action_usage_user_id_users FOREIGN KEY (user_id) REFERENCES public.users(id) ON DELETE CASCADE;
ALTER TABLE ONLY public.action_usage
    ADD CONSTRAINT fk_action_usage_workspace_id_workspaces FOREIGN KEY (workspace_id) REFERENCES public.workspaces(id) ON DELETE CASCADE;
ALTER TABLE ONLY public.activity_logs
    ADD CONSTRAINT fk_activity_logs_actor_id_users FOREIGN KEY (actor_id) REFERENCES public.users(id) ON DELETE SET NULL;
ALTER TABLE ONLY public.activity_logs
    ADD CONSTRAINT fk_activity_logs_workspace_id_workspaces FOREIGN KEY (workspace_id) REFERENCES public.workspaces(id) ON DELETE SET NULL;
ALTER TABLE ONLY public.authorization_codes
    ADD CONSTRAINT fk_authorization_codes_client_app_id_client_apps FOREIGN KEY (client_app_id) REFERENCES public.client_apps(id) ON DELETE CASCADE;
ALTER TABLE ONLY public.authorization_codes
    ADD CONSTRAINT fk_authorization_codes_user_id_users FOREIGN KEY (user_id) REFERENCES public.users(id) ON DELETE CASCADE;
ALTER TABLE ONLY public.client_apps
    ADD CONSTRAINT fk_client_apps_created_by_users FOREIGN KEY (created_by) REFERENCES public.users(id) ON DELETE SET NULL;
ALTER TABLE ONLY public.group_memberships
    ADD CONSTRAINT fk_group_memberships_group_id_groups FOREIGN KEY (group_id) REFERENCES public.groups(id) ON DELETE CASCADE;
ALTER TABLE ONLY public.group_memberships
    ADD CONSTRAINT fk_group_memberships_user_id_users FOREIGN KEY (user_id) REFERENCES public.users(id) ON DELETE CASCADE;
ALTER TABLE ONLY public.group_roles
    ADD CONSTRAINT fk_group_roles_assigned_by_users FOREIGN KEY (assigned_by) REFERENCES public.users(id) ON DELETE SET NULL;
ALTER TABLE ONLY public.group_roles
    ADD CONSTRAINT fk_group_roles_group_id_groups FOREIGN KEY (group_id) REFERENCES public.groups(id) ON DELETE CASCADE;
ALTER TABLE ONLY public.group_roles
    ADD CONSTRAINT fk_group_roles_role_id_roles FOREIGN KEY (role_id) REFERENCES public.roles(id) ON DELETE CASCADE;
ALTER TABLE ONLY public.groups
    ADD CONSTRAINT fk_groups_created_by_users FOREIGN KEY (created_by) REFERENCES public.users(id) ON DELETE SET NULL;
ALTER TABLE ONLY public.groups
    ADD CONSTRAINT fk_groups_workspace_id_workspaces FOREIGN KEY (workspace_id) REFERENCES public.workspaces(id) ON DELETE CASCADE;
ALTER TABLE ONLY public.organization_domains
    ADD CONSTRAINT fk_organization_domains_organization_id_organizations FOREIGN KEY (organization_id) REFERENCES public.organizations(id) ON DELETE CASCADE;
ALTER TABLE ONLY public.organizations
    ADD CONSTRAINT fk_organizations_created_by_users FOREIGN KEY (created_by) REFERENCES public.users(id) ON DELETE SET NULL;
ALTER TABLE ONLY public.realms
    ADD CONSTRAINT fk_realms_created_by_users FOREIGN KEY (created_by) REFERENCES public.users(id) ON DELETE SET NULL;
ALTER TABLE ONLY public.refresh_families
    ADD CONSTRAINT fk_refresh_families_client_app_id_client_apps FOREIGN KEY (client_app_id) REFERENCES public.client_apps(id) ON DELETE SET NULL;
ALTER TABLE ONLY public.refresh_families
    ADD CONSTRAINT fk_refresh_families_user_id_users FOREIGN KEY (user_id) REFERENCES public.users(id) ON DELETE CASCADE;
ALTER TABLE ONLY public.refresh_families
    ADD CONSTRAINT fk_refresh_families_workspace_id_workspaces FOREIGN KEY (workspace_id) REFERENCES public.workspaces(id) ON DELETE CASCADE;
ALTER TABLE ONLY public.refresh_tokens
    ADD CONSTRAINT fk_refresh_tokens_family_id_refresh_families FOREIGN KEY (family_id) REFERENCES public.refresh_families(id) ON DELETE CASCADE;
ALTER TABLE ONLY public.resource_permissions
    ADD CONSTRAINT fk_resource_permissions_owner_id_users FOREIGN KEY (owner_id) REFERENCES public.users(id) ON DELETE SET NULL;
ALTER TABLE ONLY public.resource_permissions
    ADD CONSTRAINT fk_resource_permissions_workspace_id_workspaces FOREIGN KEY (workspace_id) REFERENCES public.workspaces(id) ON DELETE CASCADE;
ALTER TABLE ONLY public.resource_shares
    ADD CONSTRAINT fk_resource_shares_granted_by_users FOREIGN KEY (granted_by) REFERENCES public.users(id) ON DELETE SET NULL;
ALTER TABLE ONLY public.resource_shares
    ADD CONSTRAINT fk_resource_shares_resource_permission_id_resource_permissions FOREIGN KEY (resource_permission_id) REFERENCES public.resource_permissions(id) ON DELETE CASCADE;
ALTER TABLE ONLY public.role_actions
    ADD CONSTRAINT fk_role_actions_role_id_roles FOREIGN KEY (role_id) REFERENCES public.roles(id) ON DELETE CASCADE;
ALTER TABLE ONLY public.role_actions
    ADD CONSTRAINT fk_role_actions_service_action_id_service_actions FOREIGN KEY (service_action_id) REFERENCES public.service_actions(id) ON DELETE CASCADE;
ALTER TABLE ONLY public.roles
    ADD CONSTRAINT fk_roles_created_by_users FOREIGN KEY (created_by) REFERENCES public.users(id) ON DELETE SET NULL;
ALTER TABLE ONLY public.roles
    ADD CONSTRAINT fk_roles_workspace_id_workspaces FOREIGN KEY (workspace_id) REFERENCES public.workspaces(id) ON DELETE CASCADE;
ALTER TABLE ONLY public.service_apps
    ADD CONSTRAINT fk_service_apps_created_by_users FOREIGN KEY (created_by) REFERENCES public.users(id) ON DELETE SET NULL;
ALTER TABLE ONLY public.service_apps
    ADD CONSTRAINT fk_service_apps_realm_id_realms FOREIGN KEY (realm_id) REFERENCES public.realms(id) ON DELETE SET NULL;
ALTER TABLE ONLY public.sign_in_memory
    ADD CONSTRAINT fk_sign_in_memory_user_id_users FOREIGN KEY (user_id) REFERENCES public.users(id) ON DELETE CASCADE;
ALTER TABLE ONLY public.social_accounts
    ADD CONSTRAINT fk_social_accounts_user_id_users FOREIGN KEY (user_id) REFERENCES public.users(id) ON DELETE CASCADE;
ALTER TABLE ONLY public.user_roles
    ADD CONSTRAINT fk_user_roles_assigned_by_users FOREIGN KEY (assigned_by) REFERENCES public.users(id) ON DELETE SET NULL;
ALTER TABLE ONLY public.user_roles
    ADD CONSTRAINT fk_user_roles_role_id_roles FOREIGN KEY (role_id) REFERENCES public.roles(id) ON DELETE CASCADE;
ALTER TABLE ONLY public.user_roles
    ADD CONSTRAINT fk_user_roles_user_id_users FOREIGN KEY (user_id) REFERENCES public.users(id) ON DELETE CASCADE;
ALTER TABLE ONLY public.users
    ADD CONSTRAINT fk_users_organization_id_organizations FOREIGN KEY (organization_id) REFERENCES public.organizations(id) ON DELETE SET NULL;
ALTER TABLE ONLY public.workspace_allowed_organizations
    ADD CONSTRAINT fk_workspace_allowed_organizations_organization_id FOREIGN KEY (organization_id) REFERENCES public.organizations(id) ON DELETE RESTRICT;
ALTER TABLE ONLY public.workspace_allowed_organizations
    ADD CONSTRAINT fk_workspace_allowed_organizations_workspace_id_workspaces FOREIGN KEY (workspace_id) REFERENCES public.workspaces(id) ON DELETE CASCADE;
ALTER TABLE ONLY public.workspace_invitations
    ADD CONSTRAINT fk_workspace_invitations_accepted_by_users FOREIGN KEY (accepted_by) REFERENCES public.users(id) ON DELETE SET NULL;
ALTER TABLE ONLY public.workspace_invitations
    ADD CONSTRAINT fk_workspace_invitations_created_by_users FOREIGN KEY (created_by) REFERENCES public.users(id) ON DELETE SET NULL;
ALTER TABLE ONLY public.workspace_invitations
    ADD CONSTRAINT fk_workspace_invitations_workspace_id_workspaces FOREIGN KEY (workspace_id) REFERENCES public.workspaces(id) ON DELETE CASCADE;
ALTER TABLE ONLY public.workspace_memberships
    ADD CONSTRAINT fk_workspace_memberships_user_id_users FOREIGN KEY (user_id) REFERENCES public.users(id) ON DELETE CASCADE;
ALTER TABLE ONLY public.workspace_memberships
    ADD CONSTRAINT fk_workspace_memberships_workspace_id_workspaces FOREIGN KEY (workspace_id) REFERENCES public.workspaces(id) ON DELETE CASCADE;
ALTER TABLE ONLY public.workspaces
    ADD CONSTRAINT fk_workspaces_created_by_users FOREIGN KEY (created_by) REFERENCES public.users(id) ON DELETE SET NULL;
