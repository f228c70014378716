CREATE FUNCTION public.resource_permissions_moved() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path TO '$user', 'public'
    AS $$
BEGIN
    UPDATE resource_share_counts SET service_name = NEW.service_name WHERE resource_permission_id = NEW.id;
    RETURN NULL;
END $$;
CREATE FUNCTION public.resource_shares_added() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path TO '$user', 'public'
    AS $$
BEGIN
    INSERT INTO resource_share_counts AS counted (resource_permission_id, workspace_id, service_name, shares)
    SELECT resource.id, resource.workspace_id, resource.service_name, fresh.number
    FROM (SELECT resource_permission_id AS id, count(*) AS number FROM added GROUP BY 1) AS fresh
    JOIN resource_permissions AS resource ON resource.id = fresh.id
    ORDER BY resource.id
    ON CONFLICT (resource_permission_id) DO UPDATE SET shares = counted.shares + excluded.shares;
    RETURN NULL;
END $$;
CREATE FUNCTION public.resource_shares_removed() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path TO '$user', 'public'
    AS $$
DECLARE
    resources bigint := (SELECT count(DISTINCT resource_permission_id) FROM removed);
    done bigint;
BEGIN
    IF resources = 0 THEN
        RETURN NULL;
    END IF;
    IF resources > 1 THEN
        PERFORM 1 FROM resource_share_counts
        WHERE resource_permission_id IN (SELECT resource_permission_id FROM removed)
        ORDER BY resource_permission_id FOR UPDATE;
    END IF;
    DELETE FROM resource_share_counts AS counted
    USING (SELECT resource_permission_id AS id, count(*) AS number FROM removed GROUP BY 1) AS gone
    WHERE counted.resource_permission_id = gone.id AND counted.shares = gone.number;
    GET DIAGNOSTICS done = ROW_COUNT;
    IF done < resources THEN
        UPDATE resource_share_counts AS counted SET shares = counted.shares - gone.number
        FROM (SELECT resource_permission_id AS id, count(*) AS number FROM removed GROUP BY 1) AS gone
        WHERE counted.resource_permission_id = gone.id;
        DELETE FROM resource_share_counts
        WHERE shares = 0 AND resource_permission_id IN (SELECT resource_permission_id FROM removed);
    END IF;
    RETURN NULL;
END $$;
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
CREATE TABLE public.resource_share_counts (
    resource_permission_id uuid NOT NULL,
    workspace_id uuid NOT NULL,
    service_name text NOT NULL,
    shares integer NOT NULL
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
INSERT INTO public.action_usage VALUES ('2026-11-26', '410bfe49-51c2-41de-97b6-15c2e5b5c337', '5515fbff-7bb9-4e0a-922b-1fdb4489ee31', 'notes', 'publish', 1);
INSERT INTO public.action_usage VALUES ('2026-11-26', '410bfe49-51c2-41de-97b6-15c2e5b5c337', 'b09ef31b-3557-47c7-ab77-904997ea671d', 'notes', 'export', 1);
INSERT INTO public.activity_logs VALUES ('865d1e99-f076-402e-8578-dc933dca42ee', 'service_app_created', NULL, 'service_app', '3e614fa1-00ec-4008-aab8-bc3ac60f9b15', NULL, '{"app": "Notes", "service_name": "notes"}', '2026-11-26 07:18:46.45483+00');
INSERT INTO public.activity_logs VALUES ('ce2e7d17-119c-4060-9902-6dd8d8b35072', 'service_app_created', NULL, 'service_app', 'da9f5ddd-a227-4478-b20c-6dbd5e743f0a', NULL, '{"app": "Tasks", "service_name": "tasks"}', '2026-11-26 07:18:48.45483+00');
INSERT INTO public.activity_logs VALUES ('3aca0c5a-f593-4efd-88b1-7f93838f53a2', 'client_app_created', NULL, 'client_app', '5393afc3-cb4b-49c3-bf8e-c90712e45149', NULL, '{"app": "Notes"}', '2026-11-26 07:18:49.45483+00');
INSERT INTO public.activity_logs VALUES ('f6bc7148-8e2c-4011-bdf7-52027557f680', 'user_login', 'b09ef31b-3557-47c7-ab77-904997ea671d', 'user', 'b09ef31b-3557-47c7-ab77-904997ea671d', NULL, '{"ip": "127.0.0.1", "flow": "user", "provider": "corp", "user_agent": "stage/1.0"}', '2026-11-26 07:18:50.45483+00');
INSERT INTO public.activity_logs VALUES ('9eb96995-cfe8-43f8-b898-c5ce9c30e20f', 'user_login', 'ab96fbe2-f612-42fd-9c0f-278bc7f99454', 'user', 'ab96fbe2-f612-42fd-9c0f-278bc7f99454', NULL, '{"ip": "127.0.0.1", "flow": "user", "provider": "corp", "user_agent": "stage/1.0"}', '2026-11-26 07:18:50.45483+00');
INSERT INTO public.activity_logs VALUES ('3d32e0ef-000f-4af3-b522-489260d5ac58', 'user_login', '5515fbff-7bb9-4e0a-922b-1fdb4489ee31', 'user', '5515fbff-7bb9-4e0a-922b-1fdb4489ee31', NULL, '{"ip": "127.0.0.1", "flow": "user", "provider": "corp", "user_agent": "stage/1.0"}', '2026-11-26 07:18:50.45483+00');
INSERT INTO public.activity_logs VALUES ('58c4c255-01df-4ff6-814c-6d7a3186ed61', 'user_login', 'f905727c-8edb-4ca6-b59e-fb780bc1067b', 'user', 'f905727c-8edb-4ca6-b59e-fb780bc1067b', NULL, '{"ip": "127.0.0.1", "flow": "user", "provider": "corp", "user_agent": "stage/1.0"}', '2026-11-26 07:18:50.45483+00');
INSERT INTO public.activity_logs VALUES ('333d216a-2cfd-46d4-8ce5-5147ff738fd0', 'user_logout', 'f905727c-8edb-4ca6-b59e-fb780bc1067b', 'user', 'f905727c-8edb-4ca6-b59e-fb780bc1067b', NULL, NULL, '2026-11-26 07:18:50.45483+00');
INSERT INTO public.activity_logs VALUES ('bf3393e8-8c52-4252-9d20-386a7b346d59', 'group_created', 'b09ef31b-3557-47c7-ab77-904997ea671d', 'group', 'b08e16da-759c-4952-931d-e4c855541b8d', '410bfe49-51c2-41de-97b6-15c2e5b5c337', '{"name": "Writers"}', '2026-11-26 07:18:50.45483+00');
INSERT INTO public.activity_logs VALUES ('c6473a13-58e2-48c4-be4d-76566aaffdd9', 'group_member_added', 'b09ef31b-3557-47c7-ab77-904997ea671d', 'user', '5515fbff-7bb9-4e0a-922b-1fdb4489ee31', '410bfe49-51c2-41de-97b6-15c2e5b5c337', '{"group_id": "b08e16da-759c-4952-931d-e4c855541b8d"}', '2026-11-26 07:18:50.45483+00');
INSERT INTO public.activity_logs VALUES ('2151970c-39e3-5a7a-af25-5e4f3f8694ba', 'action_denied', 'ab96fbe2-f612-42fd-9c0f-278bc7f99454', 'user', 'ab96fbe2-f612-42fd-9c0f-278bc7f99454', '410bfe49-51c2-41de-97b6-15c2e5b5c337', '{"count": 1, "action": "erase", "service_name": "notes"}', '2026-11-26 07:18:00+00');
INSERT INTO public.activity_logs VALUES ('6e3966db-ba8d-5a0f-b850-cd0bbab85b84', 'action_denied', 'ab96fbe2-f612-42fd-9c0f-278bc7f99454', 'user', 'ab96fbe2-f612-42fd-9c0f-278bc7f99454', '410bfe49-51c2-41de-97b6-15c2e5b5c337', '{"count": 1, "action": "publish", "service_name": "notes"}', '2026-11-26 07:18:00+00');
INSERT INTO public.activity_logs VALUES ('7244a30f-eabe-5ba9-aa13-6c255a3540f9', 'action_denied', '5515fbff-7bb9-4e0a-922b-1fdb4489ee31', 'user', '5515fbff-7bb9-4e0a-922b-1fdb4489ee31', '410bfe49-51c2-41de-97b6-15c2e5b5c337', '{"count": 1, "action": "export", "service_name": "notes"}', '2026-11-26 07:18:00+00');
INSERT INTO public.activity_logs VALUES ('7580782b-30d3-587c-bd2a-5ba4b5a1b841', 'action_denied', 'b09ef31b-3557-47c7-ab77-904997ea671d', 'user', 'b09ef31b-3557-47c7-ab77-904997ea671d', '410bfe49-51c2-41de-97b6-15c2e5b5c337', '{"count": 1, "action": "erase", "service_name": "notes"}', '2026-11-26 07:18:00+00');
INSERT INTO public.activity_logs VALUES ('c018d5b6-2a86-56a7-b81a-11bc0d273be4', 'action_denied', 'ab96fbe2-f612-42fd-9c0f-278bc7f99454', 'user', 'ab96fbe2-f612-42fd-9c0f-278bc7f99454', '410bfe49-51c2-41de-97b6-15c2e5b5c337', '{"count": 1, "action": "export", "service_name": "notes"}', '2026-11-26 07:18:00+00');
INSERT INTO public.activity_logs VALUES ('dd22ae79-31dc-5f82-9f63-b96e102b1782', 'action_denied', 'b09ef31b-3557-47c7-ab77-904997ea671d', 'user', 'b09ef31b-3557-47c7-ab77-904997ea671d', '410bfe49-51c2-41de-97b6-15c2e5b5c337', '{"count": 1, "action": "publish", "service_name": "notes"}', '2026-11-26 07:18:00+00');
INSERT INTO public.activity_logs VALUES ('fe8cb7d7-b37c-571c-85d6-eb20acb4bb7a', 'action_denied', '5515fbff-7bb9-4e0a-922b-1fdb4489ee31', 'user', '5515fbff-7bb9-4e0a-922b-1fdb4489ee31', '410bfe49-51c2-41de-97b6-15c2e5b5c337', '{"count": 1, "action": "erase", "service_name": "notes"}', '2026-11-26 07:18:00+00');
INSERT INTO public.alembic_version VALUES ('0006');
INSERT INTO public.client_apps VALUES ('5393afc3-cb4b-49c3-bf8e-c90712e45149', 'Notes', '{https://notes.example.com/callback}', true, NULL, '2026-11-26 07:18:49.45483+00', '2026-11-26 07:18:49.45483+00');
INSERT INTO public.group_memberships VALUES ('fcbeec9c-8f15-48f2-acfb-e29d1a76061a', 'b08e16da-759c-4952-931d-e4c855541b8d', '5515fbff-7bb9-4e0a-922b-1fdb4489ee31', '2026-11-26 07:18:50.45483+00');
INSERT INTO public.group_roles VALUES ('aa9b07c9-92a1-4633-bd95-0442521651ca', 'b08e16da-759c-4952-931d-e4c855541b8d', '4b399c57-09c6-44bf-8d1f-5b8d9d8d63c3', 'b09ef31b-3557-47c7-ab77-904997ea671d', '2026-11-26 07:18:51.45483+00');
INSERT INTO public.groups VALUES ('b08e16da-759c-4952-931d-e4c855541b8d', '410bfe49-51c2-41de-97b6-15c2e5b5c337', 'Writers', NULL, 'b09ef31b-3557-47c7-ab77-904997ea671d', '2026-11-26 07:18:50.45483+00');
INSERT INTO public.organization_domains VALUES ('e41f1a38-3106-4f1f-afc8-1e3f78a42ca2', '2e727308-2638-4a48-86b5-54ea1328a8cd', 'example.com', false, '2026-11-26 07:18:37.45483+00');
INSERT INTO public.organizations VALUES ('00000000-0000-0000-0000-000000000001', 'public', 'Public', true, true, NULL, '2026-11-26 07:18:28.356016+00');
INSERT INTO public.organizations VALUES ('2e727308-2638-4a48-86b5-54ea1328a8cd', 'example', 'Org', false, true, NULL, '2026-11-26 07:18:36.45483+00');
INSERT INTO public.realms VALUES ('892db1ec-cc4c-4fcd-87f0-c96a29f9c4fb', 'suite', 'Suite', 300, true, NULL, '2026-11-26 07:18:47.45483+00', '2026-11-26 07:18:47.45483+00');
INSERT INTO public.refresh_families VALUES ('338fc1ef-1c24-4855-b040-7ee135d87e7f', 'b09ef31b-3557-47c7-ab77-904997ea671d', '410bfe49-51c2-41de-97b6-15c2e5b5c337', '5393afc3-cb4b-49c3-bf8e-c90712e45149', '2026-11-26 07:18:50.45483+00', '127.0.0.1', 'stage/1.0', NULL, NULL);
INSERT INTO public.refresh_families VALUES ('a3d7455c-ada2-4907-931f-6f9dc3ec72da', 'ab96fbe2-f612-42fd-9c0f-278bc7f99454', '410bfe49-51c2-41de-97b6-15c2e5b5c337', '5393afc3-cb4b-49c3-bf8e-c90712e45149', '2026-11-26 07:18:50.45483+00', '127.0.0.1', 'stage/1.0', NULL, NULL);
INSERT INTO public.refresh_families VALUES ('1b3386b8-2573-49ae-994f-09b8b397a83c', '5515fbff-7bb9-4e0a-922b-1fdb4489ee31', '410bfe49-51c2-41de-97b6-15c2e5b5c337', '5393afc3-cb4b-49c3-bf8e-c90712e45149', '2026-11-26 07:18:50.45483+00', '127.0.0.1', 'stage/1.0', NULL, NULL);
INSERT INTO public.refresh_families VALUES ('ddd978a3-d15c-4422-90b5-eeb2b6b8591b', 'f905727c-8edb-4ca6-b59e-fb780bc1067b', '410bfe49-51c2-41de-97b6-15c2e5b5c337', '5393afc3-cb4b-49c3-bf8e-c90712e45149', '2026-11-26 07:18:50.45483+00', '127.0.0.1', 'stage/1.0', '2026-11-26 07:18:50.45483+00', 'logout');
INSERT INTO public.refresh_tokens VALUES ('bb56785e-8e49-4548-a8f7-cc2db4b16541', '338fc1ef-1c24-4855-b040-7ee135d87e7f', 'b275bdca-e00c-4134-8dad-4e1301b81003', '2026-11-26 07:33:50+00', '2026-11-26 07:18:50.45483+00', '2026-12-03 07:18:50+00', NULL);
INSERT INTO public.refresh_tokens VALUES ('4f77ccb2-e966-4a1a-99c1-a7dc1c294abf', 'a3d7455c-ada2-4907-931f-6f9dc3ec72da', '7501607f-4d6a-4109-9113-b8316f496fcb', '2026-11-26 07:33:50+00', '2026-11-26 07:18:50.45483+00', '2026-12-03 07:18:50+00', NULL);
INSERT INTO public.refresh_tokens VALUES ('2552b4f3-a8da-43d4-a90a-9dd0a177b442', '1b3386b8-2573-49ae-994f-09b8b397a83c', '4bb9ee8d-b301-4afd-ac34-e02bf7116475', '2026-11-26 07:33:50+00', '2026-11-26 07:18:50.45483+00', '2026-12-03 07:18:50+00', '2026-11-26 07:18:50.45483+00');
INSERT INTO public.refresh_tokens VALUES ('18ca9e8f-275a-4cfe-a700-fdf4d0f45e19', '1b3386b8-2573-49ae-994f-09b8b397a83c', 'a25da73e-2f9b-4207-bab9-7833bef3ffa2', '2026-11-26 07:33:50+00', '2026-11-26 07:18:50.45483+00', '2026-12-03 07:18:50+00', NULL);
INSERT INTO public.resource_permissions VALUES ('923de389-36ae-4e11-9090-d73cf6632139', 'notes', 'document', '42f42ff9-df50-5b75-8c16-cbe77cbfbbf1', '410bfe49-51c2-41de-97b6-15c2e5b5c337', 'b09ef31b-3557-47c7-ab77-904997ea671d', 'workspace', '2026-11-26 07:18:50.45483+00');
INSERT INTO public.resource_permissions VALUES ('1434b5de-c359-41d0-a569-43d200ad5c24', 'notes', 'document', '239080f3-4882-58a7-bc79-38505d4d50a3', '410bfe49-51c2-41de-97b6-15c2e5b5c337', 'b09ef31b-3557-47c7-ab77-904997ea671d', 'private', '2026-11-26 07:18:50.45483+00');
INSERT INTO public.resource_permissions VALUES ('041c5e85-05da-4063-ba81-304a8679bf30', 'notes', 'document', 'c5f0f745-0628-5e74-8b55-d4f1723e07e4', '410bfe49-51c2-41de-97b6-15c2e5b5c337', 'b09ef31b-3557-47c7-ab77-904997ea671d', 'private', '2026-11-26 07:18:50.45483+00');
INSERT INTO public.resource_permissions VALUES ('5f7b7fe3-c313-44ab-9620-8a0752f7a884', 'notes', 'document', '6fbdb790-3ad4-5463-96f3-86f6a3bd7c84', '410bfe49-51c2-41de-97b6-15c2e5b5c337', 'b09ef31b-3557-47c7-ab77-904997ea671d', 'private', '2026-11-26 07:18:50.45483+00');
INSERT INTO public.resource_permissions VALUES ('0d8c386e-4c68-4cd8-a0a7-cd7ad6798532', 'notes', 'document', '633f109e-0bd2-52a6-aed0-eed426da5aa4', '410bfe49-51c2-41de-97b6-15c2e5b5c337', 'b09ef31b-3557-47c7-ab77-904997ea671d', 'private', '2026-11-26 07:18:50.45483+00');
INSERT INTO public.resource_permissions VALUES ('7d22ff2e-eaac-49b8-9e51-c641af328279', 'notes', 'document', 'a50cfad5-26e0-5c55-8fcc-80fafeca6715', '410bfe49-51c2-41de-97b6-15c2e5b5c337', 'b09ef31b-3557-47c7-ab77-904997ea671d', 'private', '2026-11-26 07:18:50.45483+00');
INSERT INTO public.resource_share_counts VALUES ('041c5e85-05da-4063-ba81-304a8679bf30', '410bfe49-51c2-41de-97b6-15c2e5b5c337', 'notes', 1);
INSERT INTO public.resource_share_counts VALUES ('5f7b7fe3-c313-44ab-9620-8a0752f7a884', '410bfe49-51c2-41de-97b6-15c2e5b5c337', 'notes', 1);
INSERT INTO public.resource_share_counts VALUES ('0d8c386e-4c68-4cd8-a0a7-cd7ad6798532', '410bfe49-51c2-41de-97b6-15c2e5b5c337', 'notes', 2);
INSERT INTO public.resource_shares VALUES ('347be657-c252-4327-872c-0d9ef4592009', '041c5e85-05da-4063-ba81-304a8679bf30', 'user', 'ab96fbe2-f612-42fd-9c0f-278bc7f99454', 'view', 'b09ef31b-3557-47c7-ab77-904997ea671d', '2026-11-26 07:18:50.45483+00');
INSERT INTO public.resource_shares VALUES ('f6a4720d-0fe8-42c8-bb44-9ac41e4a9723', '5f7b7fe3-c313-44ab-9620-8a0752f7a884', 'group', 'b08e16da-759c-4952-931d-e4c855541b8d', 'edit', 'b09ef31b-3557-47c7-ab77-904997ea671d', '2026-11-26 07:18:50.45483+00');
INSERT INTO public.resource_shares VALUES ('62cd5dda-96ad-4b81-8fa8-a327a0070f55', '0d8c386e-4c68-4cd8-a0a7-cd7ad6798532', 'user', 'ab96fbe2-f612-42fd-9c0f-278bc7f99454', 'view', 'b09ef31b-3557-47c7-ab77-904997ea671d', '2026-11-26 07:18:50.45483+00');
INSERT INTO public.resource_shares VALUES ('d16c6be7-0d98-4557-917a-933edee59027', '0d8c386e-4c68-4cd8-a0a7-cd7ad6798532', 'group', 'b08e16da-759c-4952-931d-e4c855541b8d', 'edit', 'b09ef31b-3557-47c7-ab77-904997ea671d', '2026-11-26 07:18:50.45483+00');
INSERT INTO public.revoked_tokens VALUES ('12557f56-1149-4a23-81b3-2512b40fd1fd', '2026-11-26 07:33:50+00');
INSERT INTO public.revoked_tokens VALUES ('255ce78e-bca1-52fa-a54f-a2accb87f2a1', '2026-11-26 07:18:50.45483+00');
INSERT INTO public.role_actions VALUES ('a12dc856-ffd3-437a-bd2f-416541cd33c1', '4b399c57-09c6-44bf-8d1f-5b8d9d8d63c3', 'fec330aa-d983-494a-9b7f-dbe3989d7758');
INSERT INTO public.role_actions VALUES ('e07ab5ae-6d99-4eb4-aaf8-ceb7eb6d96be', '06bf6407-d436-4a5c-8a60-a666b9f75e5c', '650ce703-0cb6-4c32-9e6d-b807891fb59f');
INSERT INTO public.roles VALUES ('4b399c57-09c6-44bf-8d1f-5b8d9d8d63c3', '410bfe49-51c2-41de-97b6-15c2e5b5c337', 'Press', '…', 'b09ef31b-3557-47c7-ab77-904997ea671d', '2026-11-26 07:18:50.45483+00');
INSERT INTO public.roles VALUES ('06bf6407-d436-4a5c-8a60-a666b9f75e5c', '410bfe49-51c2-41de-97b6-15c2e5b5c337', 'Office', '…', 'b09ef31b-3557-47c7-ab77-904997ea671d', '2026-11-26 07:18:50.45483+00');
INSERT INTO public.service_actions VALUES ('d18b4ef3-9a00-46c7-a80c-793ca3b07594', 'notes', 'erase', 'To erase', '2026-11-26 07:18:50.45483+00');
INSERT INTO public.service_actions VALUES ('650ce703-0cb6-4c32-9e6d-b807891fb59f', 'notes', 'export', 'To export', '2026-11-26 07:18:50.45483+00');
INSERT INTO public.service_actions VALUES ('fec330aa-d983-494a-9b7f-dbe3989d7758', 'notes', 'publish', 'To publish', '2026-11-26 07:18:50.45483+00');
INSERT INTO public.service_apps VALUES ('da9f5ddd-a227-4478-b20c-6dbd5e743f0a', 'Tasks', 'tasks', '696a71400b28e5e01da62d5a5d3183953962ff83c1858bf891c28bdd64796e14', 'sk_fW77****', NULL, NULL, true, '{}', '{}', '892db1ec-cc4c-4fcd-87f0-c96a29f9c4fb', NULL, NULL, '2026-11-26 07:18:48.45483+00', '2026-11-26 07:18:48.45483+00');
INSERT INTO public.service_apps VALUES ('3e614fa1-00ec-4008-aab8-bc3ac60f9b15', 'Notes', 'notes', '2d4beed9e511a1af320044962712e7d1a8d2a5d6402b5f1ea1cb1fe0b333a84e', 'sk_rpmX****', NULL, NULL, true, '{}', '{}', NULL, '2026-11-26 07:18:52.45483+00', NULL, '2026-11-26 07:18:46.45483+00', '2026-11-26 07:18:46.45483+00');
INSERT INTO public.sign_in_memory VALUES ('b09ef31b-3557-47c7-ab77-904997ea671d', 'device', 'Other / Other', '2026-11-26 07:18:50.45483+00', '2026-11-26 07:18:50.45483+00');
INSERT INTO public.sign_in_memory VALUES ('ab96fbe2-f612-42fd-9c0f-278bc7f99454', 'device', 'Other / Other', '2026-11-26 07:18:50.45483+00', '2026-11-26 07:18:50.45483+00');
INSERT INTO public.sign_in_memory VALUES ('5515fbff-7bb9-4e0a-922b-1fdb4489ee31', 'device', 'Other / Other', '2026-11-26 07:18:50.45483+00', '2026-11-26 07:18:50.45483+00');
INSERT INTO public.sign_in_memory VALUES ('f905727c-8edb-4ca6-b59e-fb780bc1067b', 'device', 'Other / Other', '2026-11-26 07:18:50.45483+00', '2026-11-26 07:18:50.45483+00');
INSERT INTO public.sign_in_memory VALUES ('b09ef31b-3557-47c7-ab77-904997ea671d', 'country', 'AT', '2026-11-26 07:18:50.45483+00', '2026-11-26 07:18:50.45483+00');
INSERT INTO public.social_accounts VALUES ('a951d4fd-3803-4226-947a-9d651612baad', 'b09ef31b-3557-47c7-ab77-904997ea671d', 'corp', 'sub-ada', '{}');
INSERT INTO public.social_accounts VALUES ('8e35b4b4-8a38-4361-9d32-48b2a6c565f8', 'ab96fbe2-f612-42fd-9c0f-278bc7f99454', 'corp', 'sub-grace', '{}');
INSERT INTO public.social_accounts VALUES ('48321a2b-f077-4afc-bd85-4a4b3ed1d8ce', '5515fbff-7bb9-4e0a-922b-1fdb4489ee31', 'corp', 'sub-linus', '{}');
INSERT INTO public.social_accounts VALUES ('5bbcf9e3-f890-43c4-a044-ab6082592f4d', 'f905727c-8edb-4ca6-b59e-fb780bc1067b', 'corp', 'sub-gone', '{}');
INSERT INTO public.user_roles VALUES ('e339d38e-e679-4157-919f-967b311bc4e9', 'b09ef31b-3557-47c7-ab77-904997ea671d', '06bf6407-d436-4a5c-8a60-a666b9f75e5c', 'b09ef31b-3557-47c7-ab77-904997ea671d', '2026-11-26 07:18:51.45483+00');
INSERT INTO public.users VALUES ('b09ef31b-3557-47c7-ab77-904997ea671d', 'ada@example.com', 'Ada Élan', NULL, true, false, '2e727308-2638-4a48-86b5-54ea1328a8cd', 0, '2026-11-26 07:18:28.45483+00', '2026-11-26 07:18:50.45483+00');
INSERT INTO public.users VALUES ('ab96fbe2-f612-42fd-9c0f-278bc7f99454', 'grace@example.com', 'Grace Élan', NULL, true, false, '2e727308-2638-4a48-86b5-54ea1328a8cd', 0, '2026-11-26 07:18:30.45483+00', '2026-11-26 07:18:50.45483+00');
INSERT INTO public.users VALUES ('5515fbff-7bb9-4e0a-922b-1fdb4489ee31', 'linus@example.com', 'Linus Élan', NULL, true, false, '2e727308-2638-4a48-86b5-54ea1328a8cd', 0, '2026-11-26 07:18:32.45483+00', '2026-11-26 07:18:50.45483+00');
INSERT INTO public.users VALUES ('f905727c-8edb-4ca6-b59e-fb780bc1067b', 'gone@example.com', 'Gone Élan', NULL, true, false, '2e727308-2638-4a48-86b5-54ea1328a8cd', 1, '2026-11-26 07:18:34.45483+00', '2026-11-26 07:18:50.45483+00');
INSERT INTO public.workspace_allowed_organizations VALUES ('92882fe4-8ded-43cd-a6da-e40480ec75c1', '3c0ee655-1857-4173-9c7e-86dfe1f7458c', '2e727308-2638-4a48-86b5-54ea1328a8cd');
INSERT INTO public.workspace_memberships VALUES ('b318421b-ee32-4e4f-88de-5d117a817e16', '410bfe49-51c2-41de-97b6-15c2e5b5c337', 'b09ef31b-3557-47c7-ab77-904997ea671d', 'owner', '2026-11-26 07:18:39.45483+00');
INSERT INTO public.workspace_memberships VALUES ('b56545c4-df3c-4035-8f67-e164eee4c435', '3c0ee655-1857-4173-9c7e-86dfe1f7458c', 'ab96fbe2-f612-42fd-9c0f-278bc7f99454', 'owner', '2026-11-26 07:18:41.45483+00');
INSERT INTO public.workspace_memberships VALUES ('0982b2b0-9a44-4b04-8152-40e38c18ec82', '410bfe49-51c2-41de-97b6-15c2e5b5c337', 'ab96fbe2-f612-42fd-9c0f-278bc7f99454', 'admin', '2026-11-26 07:18:42.45483+00');
INSERT INTO public.workspace_memberships VALUES ('feb4449c-0dce-44ee-8c25-06643d313c50', '410bfe49-51c2-41de-97b6-15c2e5b5c337', '5515fbff-7bb9-4e0a-922b-1fdb4489ee31', 'viewer', '2026-11-26 07:18:43.45483+00');
INSERT INTO public.workspace_memberships VALUES ('d60bd7cd-407b-46eb-b734-a14b9b43c390', '410bfe49-51c2-41de-97b6-15c2e5b5c337', 'f905727c-8edb-4ca6-b59e-fb780bc1067b', 'editor', '2026-11-26 07:18:44.45483+00');
INSERT INTO public.workspaces VALUES ('410bfe49-51c2-41de-97b6-15c2e5b5c337', 'acme', 'Acme · Österreich', NULL, 'b09ef31b-3557-47c7-ab77-904997ea671d', '2026-11-26 07:18:38.45483+00');
INSERT INTO public.workspaces VALUES ('3c0ee655-1857-4173-9c7e-86dfe1f7458c', 'elsewhere', 'Acme', NULL, 'ab96fbe2-f612-42fd-9c0f-278bc7f99454', '2026-11-26 07:18:40.45483+00');
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
ALTER TABLE ONLY public.resource_share_counts
    ADD CONSTRAINT pk_resource_share_counts PRIMARY KEY (resource_permission_id);
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
CREATE INDEX ix_action_usage_grant ON public.action_usage USING btree (user_id, workspace_id, service_name, action, day);
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
CREATE INDEX ix_group_memberships_group_id_added_at_user_id ON public.group_memberships USING btree (group_id, added_at, user_id);
CREATE INDEX ix_group_memberships_user_id ON public.group_memberships USING btree (user_id);
CREATE INDEX ix_group_roles_group_id ON public.group_roles USING btree (group_id);
CREATE INDEX ix_group_roles_role_id ON public.group_roles USING btree (role_id);
CREATE INDEX ix_groups_workspace_id_created_at_id ON public.groups USING btree (workspace_id, created_at, id);
CREATE INDEX ix_organization_domains_organization_id ON public.organization_domains USING btree (organization_id);
CREATE INDEX ix_refresh_families_client_app_id ON public.refresh_families USING btree (client_app_id);
CREATE INDEX ix_refresh_families_user_id ON public.refresh_families USING btree (user_id);
CREATE INDEX ix_refresh_families_workspace_id ON public.refresh_families USING btree (workspace_id);
CREATE INDEX ix_refresh_tokens_expires_at ON public.refresh_tokens USING btree (expires_at);
CREATE INDEX ix_refresh_tokens_family_id ON public.refresh_tokens USING btree (family_id);
CREATE INDEX ix_resource_permissions_created_at_id ON public.resource_permissions USING btree (created_at, id);
CREATE INDEX ix_resource_permissions_owner_id_created_at_id ON public.resource_permissions USING btree (owner_id, created_at, id);
CREATE INDEX ix_resource_permissions_reach ON public.resource_permissions USING btree (workspace_id, service_name, resource_type, created_at, id) INCLUDE (visibility, owner_id, resource_id);
CREATE INDEX ix_resource_permissions_resource_id ON public.resource_permissions USING btree (resource_id);
CREATE INDEX ix_resource_permissions_service_name_created_at_id ON public.resource_permissions USING btree (service_name, created_at, id);
CREATE INDEX ix_resource_permissions_workspace_id_created_at_id ON public.resource_permissions USING btree (workspace_id, created_at, id);
CREATE INDEX ix_resource_share_counts_all ON public.resource_share_counts USING btree (shares, resource_permission_id);
CREATE INDEX ix_resource_share_counts_service ON public.resource_share_counts USING btree (service_name, shares, resource_permission_id);
CREATE INDEX ix_resource_share_counts_workspace ON public.resource_share_counts USING btree (workspace_id, shares, resource_permission_id);
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
CREATE INDEX ix_user_roles_role_id_assigned_at_user_id ON public.user_roles USING btree (role_id, assigned_at, user_id);
CREATE INDEX ix_user_roles_user_id ON public.user_roles USING btree (user_id);
CREATE INDEX ix_users_administrators ON public.users USING btree (created_at, id) WHERE is_admin;
CREATE INDEX ix_users_created_at_id ON public.users USING btree (created_at, id);
CREATE INDEX ix_users_is_active_created_at_id ON public.users USING btree (is_active, created_at, id);
CREATE INDEX ix_users_organization_id_email ON public.users USING btree (organization_id, email);
CREATE INDEX ix_workspace_allowed_organizations_organization_id ON public.workspace_allowed_organizations USING btree (organization_id);
CREATE INDEX ix_workspace_allowed_organizations_workspace_id ON public.workspace_allowed_organizations USING btree (workspace_id);
CREATE INDEX ix_workspace_invitations_workspace_id ON public.workspace_invitations USING btree (workspace_id);
CREATE INDEX ix_workspace_memberships_user_id ON public.workspace_memberships USING btree (user_id);
CREATE INDEX ix_workspace_memberships_workspace_id_joined_at_user_id ON public.workspace_memberships USING btree (workspace_id, joined_at, user_id);
CREATE INDEX ix_workspaces_created_at_id ON public.workspaces USING btree (created_at, id);
CREATE UNIQUE INDEX uq_organizations_public ON public.organizations USING btree (is_public) WHERE is_public;
CREATE UNIQUE INDEX uq_users_lower_email ON public.users USING btree (lower(email));
CREATE TRIGGER resource_permissions_moved AFTER UPDATE OF service_name ON public.resource_permissions FOR EACH ROW WHEN ((old.service_name <> new.service_name)) EXECUTE FUNCTION public.resource_permissions_moved();
CREATE TRIGGER resource_shares_added AFTER INSERT ON public.resource_shares REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION public.resource_shares_added();
CREATE TRIGGER resource_shares_removed AFTER DELETE ON public.resource_shares REFERENCING OLD TABLE AS removed FOR EACH STATEMENT EXECUTE FUNCTION public.resource_shares_removed();
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
