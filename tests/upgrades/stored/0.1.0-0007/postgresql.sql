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
INSERT INTO public.action_usage VALUES ('2026-11-26', '5c09e2ae-7fec-4fed-aa5b-0d105521ea1d', '016eaa7d-1c71-431a-a269-8695794fe95e', 'notes', 'export', 1);
INSERT INTO public.action_usage VALUES ('2026-11-26', '5c09e2ae-7fec-4fed-aa5b-0d105521ea1d', '2e59a275-c124-4073-b4a2-efcb731c1e6a', 'notes', 'publish', 1);
INSERT INTO public.activity_logs VALUES ('8ff9bfae-73f6-4933-a6e6-a9ae8e401910', 'service_app_created', NULL, 'service_app', 'd2516796-adea-4b12-b9ce-192f6078139c', NULL, '{"app": "Notes", "service_name": "notes"}', '2026-11-26 14:04:31.490879+00');
INSERT INTO public.activity_logs VALUES ('6150bccb-6d32-4928-9978-6d6ab177507e', 'service_app_created', NULL, 'service_app', 'aeb2cb9c-eb6e-4720-85ae-056a8ac1d857', NULL, '{"app": "Tasks", "service_name": "tasks"}', '2026-11-26 14:04:33.490879+00');
INSERT INTO public.activity_logs VALUES ('e1959750-6780-42ce-8804-6a729b4329cf', 'client_app_created', NULL, 'client_app', 'e3085e85-6d8d-4d0b-bc8a-0ad18c40d9b4', NULL, '{"app": "Notes"}', '2026-11-26 14:04:34.490879+00');
INSERT INTO public.activity_logs VALUES ('2ab6ec44-47b0-4e6b-9bc5-3f8179ebe5ec', 'user_login', '016eaa7d-1c71-431a-a269-8695794fe95e', 'user', '016eaa7d-1c71-431a-a269-8695794fe95e', NULL, '{"ip": "127.0.0.1", "flow": "user", "provider": "corp", "user_agent": "stage/1.0"}', '2026-11-26 14:04:35.490879+00');
INSERT INTO public.activity_logs VALUES ('56d7f097-29bc-410d-9594-477d55f010d0', 'user_login', '0951b879-589e-4280-81ca-cfef7e62d8b0', 'user', '0951b879-589e-4280-81ca-cfef7e62d8b0', NULL, '{"ip": "127.0.0.1", "flow": "user", "provider": "corp", "user_agent": "stage/1.0"}', '2026-11-26 14:04:35.490879+00');
INSERT INTO public.activity_logs VALUES ('8d6e1085-1c04-4d3d-a2c7-b2ab88c3d14e', 'user_login', '2e59a275-c124-4073-b4a2-efcb731c1e6a', 'user', '2e59a275-c124-4073-b4a2-efcb731c1e6a', NULL, '{"ip": "127.0.0.1", "flow": "user", "provider": "corp", "user_agent": "stage/1.0"}', '2026-11-26 14:04:35.490879+00');
INSERT INTO public.activity_logs VALUES ('3cb5fe25-8423-4137-a47f-e103742b8af7', 'user_login', '2958bb37-2224-40a1-81c3-7cf2ac45c9ea', 'user', '2958bb37-2224-40a1-81c3-7cf2ac45c9ea', NULL, '{"ip": "127.0.0.1", "flow": "user", "provider": "corp", "user_agent": "stage/1.0"}', '2026-11-26 14:04:35.490879+00');
INSERT INTO public.activity_logs VALUES ('b78b69f3-88e0-419a-a029-8bf11bee0a1d', 'user_logout', '2958bb37-2224-40a1-81c3-7cf2ac45c9ea', 'user', '2958bb37-2224-40a1-81c3-7cf2ac45c9ea', NULL, NULL, '2026-11-26 14:04:35.490879+00');
INSERT INTO public.activity_logs VALUES ('d61d624a-8146-4231-b2a2-d2be0c623b3d', 'group_created', '016eaa7d-1c71-431a-a269-8695794fe95e', 'group', '0bd24244-2b7b-4ed5-996e-33ab67451622', '5c09e2ae-7fec-4fed-aa5b-0d105521ea1d', '{"name": "Writers"}', '2026-11-26 14:04:35.490879+00');
INSERT INTO public.activity_logs VALUES ('df3e82b5-9334-4195-b853-00c049bbb7b0', 'group_member_added', '016eaa7d-1c71-431a-a269-8695794fe95e', 'user', '2e59a275-c124-4073-b4a2-efcb731c1e6a', '5c09e2ae-7fec-4fed-aa5b-0d105521ea1d', '{"group_id": "0bd24244-2b7b-4ed5-996e-33ab67451622"}', '2026-11-26 14:04:35.490879+00');
INSERT INTO public.activity_logs VALUES ('23622305-3939-5ec1-b387-015b29aa55e8', 'action_denied', '2e59a275-c124-4073-b4a2-efcb731c1e6a', 'user', '2e59a275-c124-4073-b4a2-efcb731c1e6a', '5c09e2ae-7fec-4fed-aa5b-0d105521ea1d', '{"count": 1, "action": "export", "service_name": "notes"}', '2026-11-26 14:04:00+00');
INSERT INTO public.activity_logs VALUES ('41cdda94-10ff-5b22-90b7-bceb89fab818', 'action_denied', '2e59a275-c124-4073-b4a2-efcb731c1e6a', 'user', '2e59a275-c124-4073-b4a2-efcb731c1e6a', '5c09e2ae-7fec-4fed-aa5b-0d105521ea1d', '{"count": 1, "action": "erase", "service_name": "notes"}', '2026-11-26 14:04:00+00');
INSERT INTO public.activity_logs VALUES ('62a21e51-255b-508c-9197-ccd89063f65e', 'action_denied', '0951b879-589e-4280-81ca-cfef7e62d8b0', 'user', '0951b879-589e-4280-81ca-cfef7e62d8b0', '5c09e2ae-7fec-4fed-aa5b-0d105521ea1d', '{"count": 1, "action": "publish", "service_name": "notes"}', '2026-11-26 14:04:00+00');
INSERT INTO public.activity_logs VALUES ('64d4c8e7-45e7-5929-9b95-1212ef8c6828', 'action_denied', '0951b879-589e-4280-81ca-cfef7e62d8b0', 'user', '0951b879-589e-4280-81ca-cfef7e62d8b0', '5c09e2ae-7fec-4fed-aa5b-0d105521ea1d', '{"count": 1, "action": "erase", "service_name": "notes"}', '2026-11-26 14:04:00+00');
INSERT INTO public.activity_logs VALUES ('7cd6b904-3c78-5213-b92b-d3c1568b847d', 'action_denied', '016eaa7d-1c71-431a-a269-8695794fe95e', 'user', '016eaa7d-1c71-431a-a269-8695794fe95e', '5c09e2ae-7fec-4fed-aa5b-0d105521ea1d', '{"count": 1, "action": "erase", "service_name": "notes"}', '2026-11-26 14:04:00+00');
INSERT INTO public.activity_logs VALUES ('8071ee0f-f238-5234-b752-18ada04aa042', 'action_denied', '0951b879-589e-4280-81ca-cfef7e62d8b0', 'user', '0951b879-589e-4280-81ca-cfef7e62d8b0', '5c09e2ae-7fec-4fed-aa5b-0d105521ea1d', '{"count": 1, "action": "export", "service_name": "notes"}', '2026-11-26 14:04:00+00');
INSERT INTO public.activity_logs VALUES ('c0e643f9-da1d-5393-a7a5-af1b68ff95ea', 'action_denied', '016eaa7d-1c71-431a-a269-8695794fe95e', 'user', '016eaa7d-1c71-431a-a269-8695794fe95e', '5c09e2ae-7fec-4fed-aa5b-0d105521ea1d', '{"count": 1, "action": "publish", "service_name": "notes"}', '2026-11-26 14:04:00+00');
INSERT INTO public.alembic_version VALUES ('0007');
INSERT INTO public.client_apps VALUES ('e3085e85-6d8d-4d0b-bc8a-0ad18c40d9b4', 'Notes', '{https://notes.example.com/callback}', true, NULL, '2026-11-26 14:04:34.490879+00', '2026-11-26 14:04:34.490879+00');
INSERT INTO public.group_memberships VALUES ('7bc3fe74-b317-4dba-a0bd-2927d64bca3a', '0bd24244-2b7b-4ed5-996e-33ab67451622', '2e59a275-c124-4073-b4a2-efcb731c1e6a', '2026-11-26 14:04:35.490879+00');
INSERT INTO public.group_roles VALUES ('439a88ac-5247-4852-a89e-d3eef389fa85', '0bd24244-2b7b-4ed5-996e-33ab67451622', '6ceade0d-0f96-461f-9336-aaf2525b8c80', '016eaa7d-1c71-431a-a269-8695794fe95e', '2026-11-26 14:04:36.490879+00');
INSERT INTO public.groups VALUES ('0bd24244-2b7b-4ed5-996e-33ab67451622', '5c09e2ae-7fec-4fed-aa5b-0d105521ea1d', 'Writers', NULL, '016eaa7d-1c71-431a-a269-8695794fe95e', '2026-11-26 14:04:35.490879+00');
INSERT INTO public.organization_domains VALUES ('22f87bc2-f604-4189-af36-359f09dd47d1', '0f0503f8-2bfe-472c-83fd-7c23c58b6af6', 'example.com', false, '2026-11-26 14:04:22.490879+00');
INSERT INTO public.organizations VALUES ('00000000-0000-0000-0000-000000000001', 'public', 'Public', true, true, NULL, '2026-11-26 14:04:13.42542+00');
INSERT INTO public.organizations VALUES ('0f0503f8-2bfe-472c-83fd-7c23c58b6af6', 'example', 'Org', false, true, NULL, '2026-11-26 14:04:21.490879+00');
INSERT INTO public.realms VALUES ('9f9597d6-1641-48d5-9ced-a98cd9571dbc', 'suite', 'Suite', 300, true, NULL, '2026-11-26 14:04:32.490879+00', '2026-11-26 14:04:32.490879+00');
INSERT INTO public.refresh_families VALUES ('375e7b6d-31da-4d4f-8f34-7dc3426a4cc5', '016eaa7d-1c71-431a-a269-8695794fe95e', '5c09e2ae-7fec-4fed-aa5b-0d105521ea1d', 'e3085e85-6d8d-4d0b-bc8a-0ad18c40d9b4', '2026-11-26 14:04:35.490879+00', '127.0.0.1', 'stage/1.0', NULL, NULL);
INSERT INTO public.refresh_families VALUES ('1446112c-3698-476d-9c12-e35076535227', '0951b879-589e-4280-81ca-cfef7e62d8b0', '5c09e2ae-7fec-4fed-aa5b-0d105521ea1d', 'e3085e85-6d8d-4d0b-bc8a-0ad18c40d9b4', '2026-11-26 14:04:35.490879+00', '127.0.0.1', 'stage/1.0', NULL, NULL);
INSERT INTO public.refresh_families VALUES ('9255c07e-d4c8-4e00-a9f2-d9107f259849', '2e59a275-c124-4073-b4a2-efcb731c1e6a', '5c09e2ae-7fec-4fed-aa5b-0d105521ea1d', 'e3085e85-6d8d-4d0b-bc8a-0ad18c40d9b4', '2026-11-26 14:04:35.490879+00', '127.0.0.1', 'stage/1.0', NULL, NULL);
INSERT INTO public.refresh_families VALUES ('e8413d28-03fb-4999-8cc7-48878058df97', '2958bb37-2224-40a1-81c3-7cf2ac45c9ea', '5c09e2ae-7fec-4fed-aa5b-0d105521ea1d', 'e3085e85-6d8d-4d0b-bc8a-0ad18c40d9b4', '2026-11-26 14:04:35.490879+00', '127.0.0.1', 'stage/1.0', '2026-11-26 14:04:35.490879+00', 'logout');
INSERT INTO public.refresh_tokens VALUES ('ce6971cf-c2eb-4775-9584-5a683575249a', '375e7b6d-31da-4d4f-8f34-7dc3426a4cc5', '492c1d57-dca8-41ae-a54a-2c5c4a1eb5eb', '2026-11-26 14:19:35+00', '2026-11-26 14:04:35.490879+00', '2026-12-03 14:04:35+00', NULL);
INSERT INTO public.refresh_tokens VALUES ('0f3206da-1b06-425a-8841-ea92ce7d32e0', '1446112c-3698-476d-9c12-e35076535227', 'c92a0fc9-697f-4959-b00f-9fb7bb255983', '2026-11-26 14:19:35+00', '2026-11-26 14:04:35.490879+00', '2026-12-03 14:04:35+00', NULL);
INSERT INTO public.refresh_tokens VALUES ('2e0a6975-c912-41b6-87fe-a2b96fcb847c', '9255c07e-d4c8-4e00-a9f2-d9107f259849', 'c1d98322-c860-4302-9a4d-f5a3f10dcc23', '2026-11-26 14:19:35+00', '2026-11-26 14:04:35.490879+00', '2026-12-03 14:04:35+00', '2026-11-26 14:04:35.490879+00');
INSERT INTO public.refresh_tokens VALUES ('2b760c6c-8736-4e7e-ad90-61e7f0b88a80', '9255c07e-d4c8-4e00-a9f2-d9107f259849', '6d047d9c-38f9-42ff-b88f-4050e3a8c9e9', '2026-11-26 14:19:35+00', '2026-11-26 14:04:35.490879+00', '2026-12-03 14:04:35+00', NULL);
INSERT INTO public.resource_permissions VALUES ('b9afaba8-04a9-4000-9fb3-0a4bf6bf039c', 'notes', 'document', '42f42ff9-df50-5b75-8c16-cbe77cbfbbf1', '5c09e2ae-7fec-4fed-aa5b-0d105521ea1d', '016eaa7d-1c71-431a-a269-8695794fe95e', 'workspace', '2026-11-26 14:04:35.490879+00');
INSERT INTO public.resource_permissions VALUES ('f2f6f585-65a2-4311-bec7-19b0a056d28b', 'notes', 'document', '239080f3-4882-58a7-bc79-38505d4d50a3', '5c09e2ae-7fec-4fed-aa5b-0d105521ea1d', '016eaa7d-1c71-431a-a269-8695794fe95e', 'private', '2026-11-26 14:04:35.490879+00');
INSERT INTO public.resource_permissions VALUES ('de715110-fa82-4e78-b1e0-899fa2776e90', 'notes', 'document', 'c5f0f745-0628-5e74-8b55-d4f1723e07e4', '5c09e2ae-7fec-4fed-aa5b-0d105521ea1d', '016eaa7d-1c71-431a-a269-8695794fe95e', 'private', '2026-11-26 14:04:35.490879+00');
INSERT INTO public.resource_permissions VALUES ('30fd730d-bb81-4f2f-a860-20d7db97222b', 'notes', 'document', '6fbdb790-3ad4-5463-96f3-86f6a3bd7c84', '5c09e2ae-7fec-4fed-aa5b-0d105521ea1d', '016eaa7d-1c71-431a-a269-8695794fe95e', 'private', '2026-11-26 14:04:35.490879+00');
INSERT INTO public.resource_permissions VALUES ('01dd5644-9f28-41de-9b14-82f1140c3aa1', 'notes', 'document', '633f109e-0bd2-52a6-aed0-eed426da5aa4', '5c09e2ae-7fec-4fed-aa5b-0d105521ea1d', '016eaa7d-1c71-431a-a269-8695794fe95e', 'private', '2026-11-26 14:04:35.490879+00');
INSERT INTO public.resource_permissions VALUES ('76414a80-4cb4-42de-8576-c5146d6b4354', 'notes', 'document', 'a50cfad5-26e0-5c55-8fcc-80fafeca6715', '5c09e2ae-7fec-4fed-aa5b-0d105521ea1d', '016eaa7d-1c71-431a-a269-8695794fe95e', 'private', '2026-11-26 14:04:35.490879+00');
INSERT INTO public.resource_share_counts VALUES ('de715110-fa82-4e78-b1e0-899fa2776e90', '5c09e2ae-7fec-4fed-aa5b-0d105521ea1d', 'notes', 1);
INSERT INTO public.resource_share_counts VALUES ('30fd730d-bb81-4f2f-a860-20d7db97222b', '5c09e2ae-7fec-4fed-aa5b-0d105521ea1d', 'notes', 1);
INSERT INTO public.resource_share_counts VALUES ('01dd5644-9f28-41de-9b14-82f1140c3aa1', '5c09e2ae-7fec-4fed-aa5b-0d105521ea1d', 'notes', 2);
INSERT INTO public.resource_shares VALUES ('569122b3-d4c3-40a9-a913-3088c39f99c1', 'de715110-fa82-4e78-b1e0-899fa2776e90', 'user', '0951b879-589e-4280-81ca-cfef7e62d8b0', 'view', '016eaa7d-1c71-431a-a269-8695794fe95e', '2026-11-26 14:04:35.490879+00');
INSERT INTO public.resource_shares VALUES ('beed313b-0921-469a-ae2f-1759d4ce1294', '30fd730d-bb81-4f2f-a860-20d7db97222b', 'group', '0bd24244-2b7b-4ed5-996e-33ab67451622', 'edit', '016eaa7d-1c71-431a-a269-8695794fe95e', '2026-11-26 14:04:35.490879+00');
INSERT INTO public.resource_shares VALUES ('a9cecbad-452d-4eca-b7c7-26d4696c866b', '01dd5644-9f28-41de-9b14-82f1140c3aa1', 'user', '0951b879-589e-4280-81ca-cfef7e62d8b0', 'view', '016eaa7d-1c71-431a-a269-8695794fe95e', '2026-11-26 14:04:35.490879+00');
INSERT INTO public.resource_shares VALUES ('b3d1a38c-6d59-4e84-8411-b86a783cd5e0', '01dd5644-9f28-41de-9b14-82f1140c3aa1', 'group', '0bd24244-2b7b-4ed5-996e-33ab67451622', 'edit', '016eaa7d-1c71-431a-a269-8695794fe95e', '2026-11-26 14:04:35.490879+00');
INSERT INTO public.revoked_tokens VALUES ('c21b0568-5969-4ec1-90f5-65b0f2a46adc', '2026-11-26 14:19:35+00');
INSERT INTO public.revoked_tokens VALUES ('255ce78e-bca1-52fa-a54f-a2accb87f2a1', '2026-11-26 14:04:35.490879+00');
INSERT INTO public.role_actions VALUES ('6f63fb0c-ff70-406b-8b50-fb37ad4d91b9', '6ceade0d-0f96-461f-9336-aaf2525b8c80', 'f6f6df51-c94a-4df6-b747-bcd59b4f31a5');
INSERT INTO public.role_actions VALUES ('31267c16-c97d-4bd9-8043-490e436e2850', '0192d456-b872-4fe5-b2ab-ddd91204893b', 'd1074c43-b99c-4b9d-b5d2-8b42d04b4154');
INSERT INTO public.roles VALUES ('6ceade0d-0f96-461f-9336-aaf2525b8c80', '5c09e2ae-7fec-4fed-aa5b-0d105521ea1d', 'Press', '…', '016eaa7d-1c71-431a-a269-8695794fe95e', '2026-11-26 14:04:35.490879+00');
INSERT INTO public.roles VALUES ('0192d456-b872-4fe5-b2ab-ddd91204893b', '5c09e2ae-7fec-4fed-aa5b-0d105521ea1d', 'Office', '…', '016eaa7d-1c71-431a-a269-8695794fe95e', '2026-11-26 14:04:35.490879+00');
INSERT INTO public.service_actions VALUES ('5b7fd649-c598-4826-9e4d-f02393bb5659', 'notes', 'erase', 'To erase', '2026-11-26 14:04:35.490879+00');
INSERT INTO public.service_actions VALUES ('d1074c43-b99c-4b9d-b5d2-8b42d04b4154', 'notes', 'export', 'To export', '2026-11-26 14:04:35.490879+00');
INSERT INTO public.service_actions VALUES ('f6f6df51-c94a-4df6-b747-bcd59b4f31a5', 'notes', 'publish', 'To publish', '2026-11-26 14:04:35.490879+00');
INSERT INTO public.service_apps VALUES ('aeb2cb9c-eb6e-4720-85ae-056a8ac1d857', 'Tasks', 'tasks', '723080ee3560ec5b46d45cdcaa6034ae710705e136fc993fbb12c7fe749da39a', 'sk_z9-Q****', NULL, NULL, true, '{}', '{}', '9f9597d6-1641-48d5-9ced-a98cd9571dbc', NULL, NULL, '2026-11-26 14:04:33.490879+00', '2026-11-26 14:04:33.490879+00');
INSERT INTO public.service_apps VALUES ('d2516796-adea-4b12-b9ce-192f6078139c', 'Notes', 'notes', '8085c7e3f17cff78ef8c6a5866c73507ff1408b37d4298760ea165be41395935', 'sk_uqhW****', NULL, NULL, true, '{}', '{}', NULL, '2026-11-26 14:04:37.490879+00', NULL, '2026-11-26 14:04:31.490879+00', '2026-11-26 14:04:31.490879+00');
INSERT INTO public.sign_in_memory VALUES ('016eaa7d-1c71-431a-a269-8695794fe95e', 'device', 'Other / Other', '2026-11-26 14:04:35.490879+00', '2026-11-26 14:04:35.490879+00');
INSERT INTO public.sign_in_memory VALUES ('0951b879-589e-4280-81ca-cfef7e62d8b0', 'device', 'Other / Other', '2026-11-26 14:04:35.490879+00', '2026-11-26 14:04:35.490879+00');
INSERT INTO public.sign_in_memory VALUES ('2e59a275-c124-4073-b4a2-efcb731c1e6a', 'device', 'Other / Other', '2026-11-26 14:04:35.490879+00', '2026-11-26 14:04:35.490879+00');
INSERT INTO public.sign_in_memory VALUES ('2958bb37-2224-40a1-81c3-7cf2ac45c9ea', 'device', 'Other / Other', '2026-11-26 14:04:35.490879+00', '2026-11-26 14:04:35.490879+00');
INSERT INTO public.sign_in_memory VALUES ('016eaa7d-1c71-431a-a269-8695794fe95e', 'country', 'AT', '2026-11-26 14:04:35.490879+00', '2026-11-26 14:04:35.490879+00');
INSERT INTO public.social_accounts VALUES ('7c8ff4be-fc24-4d28-bf04-fb1e7c71ce50', '016eaa7d-1c71-431a-a269-8695794fe95e', 'corp', 'sub-ada', '{}');
INSERT INTO public.social_accounts VALUES ('ec94ee86-51ea-450c-bb39-6892fbb58dca', '0951b879-589e-4280-81ca-cfef7e62d8b0', 'corp', 'sub-grace', '{}');
INSERT INTO public.social_accounts VALUES ('cc8d53e8-7823-4f8a-8607-b6a7bf05e076', '2e59a275-c124-4073-b4a2-efcb731c1e6a', 'corp', 'sub-linus', '{}');
INSERT INTO public.social_accounts VALUES ('cf448aaf-6101-4c39-a0bb-b0332ae84e32', '2958bb37-2224-40a1-81c3-7cf2ac45c9ea', 'corp', 'sub-gone', '{}');
INSERT INTO public.user_roles VALUES ('5f079641-9f83-42cc-90de-66e5f66c1fbd', '016eaa7d-1c71-431a-a269-8695794fe95e', '0192d456-b872-4fe5-b2ab-ddd91204893b', '016eaa7d-1c71-431a-a269-8695794fe95e', '2026-11-26 14:04:36.490879+00');
INSERT INTO public.users VALUES ('016eaa7d-1c71-431a-a269-8695794fe95e', 'ada@example.com', 'Ada Élan', NULL, true, false, '0f0503f8-2bfe-472c-83fd-7c23c58b6af6', 0, '2026-11-26 14:04:13.490879+00', '2026-11-26 14:04:35.490879+00');
INSERT INTO public.users VALUES ('0951b879-589e-4280-81ca-cfef7e62d8b0', 'grace@example.com', 'Grace Élan', NULL, true, false, '0f0503f8-2bfe-472c-83fd-7c23c58b6af6', 0, '2026-11-26 14:04:15.490879+00', '2026-11-26 14:04:35.490879+00');
INSERT INTO public.users VALUES ('2e59a275-c124-4073-b4a2-efcb731c1e6a', 'linus@example.com', 'Linus Élan', NULL, true, false, '0f0503f8-2bfe-472c-83fd-7c23c58b6af6', 0, '2026-11-26 14:04:17.490879+00', '2026-11-26 14:04:35.490879+00');
INSERT INTO public.users VALUES ('2958bb37-2224-40a1-81c3-7cf2ac45c9ea', 'gone@example.com', 'Gone Élan', NULL, true, false, '0f0503f8-2bfe-472c-83fd-7c23c58b6af6', 1, '2026-11-26 14:04:19.490879+00', '2026-11-26 14:04:35.490879+00');
INSERT INTO public.workspace_allowed_organizations VALUES ('418d96f6-144e-40f8-9da4-94e931e6858e', '3ea9aec4-cfed-4b64-a7ab-99a5a2345a93', '0f0503f8-2bfe-472c-83fd-7c23c58b6af6');
INSERT INTO public.workspace_memberships VALUES ('45b2ae6a-ec26-4d1d-8574-37c177ac22ba', '5c09e2ae-7fec-4fed-aa5b-0d105521ea1d', '016eaa7d-1c71-431a-a269-8695794fe95e', 'owner', '2026-11-26 14:04:24.490879+00');
INSERT INTO public.workspace_memberships VALUES ('962f39ed-0393-4d7c-b1de-3ff1994b5611', '3ea9aec4-cfed-4b64-a7ab-99a5a2345a93', '0951b879-589e-4280-81ca-cfef7e62d8b0', 'owner', '2026-11-26 14:04:26.490879+00');
INSERT INTO public.workspace_memberships VALUES ('81bd69bd-3600-4303-a005-a5430f9e7811', '5c09e2ae-7fec-4fed-aa5b-0d105521ea1d', '0951b879-589e-4280-81ca-cfef7e62d8b0', 'admin', '2026-11-26 14:04:27.490879+00');
INSERT INTO public.workspace_memberships VALUES ('b021ed9e-12c3-4758-ae25-b259f26dfe7d', '5c09e2ae-7fec-4fed-aa5b-0d105521ea1d', '2e59a275-c124-4073-b4a2-efcb731c1e6a', 'viewer', '2026-11-26 14:04:28.490879+00');
INSERT INTO public.workspace_memberships VALUES ('1ad6b8f6-c468-4cb9-9b3b-4e0858e55348', '5c09e2ae-7fec-4fed-aa5b-0d105521ea1d', '2958bb37-2224-40a1-81c3-7cf2ac45c9ea', 'editor', '2026-11-26 14:04:29.490879+00');
INSERT INTO public.workspaces VALUES ('5c09e2ae-7fec-4fed-aa5b-0d105521ea1d', 'acme', 'Acme · Österreich', NULL, '016eaa7d-1c71-431a-a269-8695794fe95e', '2026-11-26 14:04:23.490879+00');
INSERT INTO public.workspaces VALUES ('3ea9aec4-cfed-4b64-a7ab-99a5a2345a93', 'elsewhere', 'Acme', NULL, '0951b879-589e-4280-81ca-cfef7e62d8b0', '2026-11-26 14:04:25.490879+00');
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
    ADD CONSTRAINT uq_resource_shares_grantee UNIQUE (resource_permission_id, grantee_type, grantee_id) INCLUDE (permission);
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
CREATE INDEX ix_resource_permissions_resource_id ON public.resource_permissions USING btree (resource_id) INCLUDE (service_name, resource_type, workspace_id, owner_id, visibility, id);
CREATE INDEX ix_resource_permissions_service_name_created_at_id ON public.resource_permissions USING btree (service_name, created_at, id);
CREATE INDEX ix_resource_permissions_workspace_id_created_at_id ON public.resource_permissions USING btree (workspace_id, created_at, id);
CREATE INDEX ix_resource_share_counts_all ON public.resource_share_counts USING btree (shares, resource_permission_id);
CREATE INDEX ix_resource_share_counts_service ON public.resource_share_counts USING btree (service_name, shares, resource_permission_id);
CREATE INDEX ix_resource_share_counts_workspace ON public.resource_share_counts USING btree (workspace_id, shares, resource_permission_id);
CREATE INDEX ix_resource_shares_grantee_type_grantee_id ON public.resource_shares USING btree (grantee_type, grantee_id) INCLUDE (permission, resource_permission_id);
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
